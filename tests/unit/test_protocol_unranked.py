"""Ranking the doctors costs, and most events never look at it."""

import pytest

from matcher.protocol import steps
from matcher.protocol.effects import Letter
from matcher.protocol.rules import CandidatesWanted, Unranked
from matcher.protocol.search import State
from tests.unit.protocol_world import World


def test_a_mail_that_the_relay_took_ranks_nobody() -> None:
    world = World()
    world.ready()
    world.do(steps.launch)
    asked = world.search.solicitations[0].doctor
    step = steps.mail_accepted(
        world.search, Letter.ANNOUNCEMENT, asked, around=Unranked(world.now, world.rules)
    )
    assert step == steps.mail_accepted(world.search, Letter.ANNOUNCEMENT, asked, around=world.around)
    assert step.search != world.search


def test_a_launch_asks_for_the_candidates_and_leaves_the_search_as_it_was() -> None:
    world = World().ready()
    with pytest.raises(CandidatesWanted):
        steps.launch(world.search, around=Unranked(world.now, world.rules))
    assert world.search.state is State.READY
    world.do(steps.launch)
    assert world.state is State.ASKING
