"""The map of a search: geometry, and a shape for each answer."""

from matcher.web import map_picture
from matcher.web.map_picture import Spot

PLACE = (45.70, 4.88)


def spot(lat: float, lon: float, group: str = map_picture.WAITING) -> Spot:
    return Spot(lat=lat, lon=lon, group=group, text="Dr Essai : sollicité")


def test_without_a_doctor_there_is_no_map() -> None:
    assert map_picture.drawn(PLACE, []) is None


def test_everything_lies_inside_the_picture_with_north_up_and_east_right() -> None:
    drawn = map_picture.drawn(PLACE, [spot(45.75, 4.88), spot(45.70, 4.99)])
    assert drawn is not None
    assert drawn.place is not None
    for x, y in (drawn.place, *((m.x, m.y) for m in drawn.marks)):
        assert 0 <= x <= map_picture.WIDTH
        assert 0 <= y <= map_picture.HEIGHT
    north, east = drawn.marks
    assert north.y < drawn.place[1]
    assert east.x > drawn.place[0]


def test_one_doctor_at_the_place_itself_is_drawn_in_the_middle() -> None:
    drawn = map_picture.drawn(PLACE, [spot(*PLACE)])
    assert drawn is not None
    assert (drawn.marks[0].x, drawn.marks[0].y) == (map_picture.WIDTH / 2, map_picture.HEIGHT / 2)


def test_the_scale_is_as_long_as_it_says() -> None:
    # 0.02 degrees of latitude are 2.22 km, over the height without its margins.
    drawn = map_picture.drawn(None, [spot(45.70, 4.88), spot(45.72, 4.88)])
    assert drawn is not None
    unit = (map_picture.HEIGHT - 2 * map_picture.MARGIN) / (0.02 * map_picture.DEGREE_KM)
    assert drawn.scale_text == "1 km"
    assert abs(drawn.scale - unit) < 0.1


def test_each_group_has_a_shape_of_its_own() -> None:
    groups = (map_picture.YES, map_picture.NO, map_picture.WAITING, map_picture.UNASKED)
    assert len({map_picture.shape(group, 0, 0) for group in groups}) == len(groups)


def test_a_yes_is_drawn_on_top_and_named_first() -> None:
    drawn = map_picture.drawn(PLACE, [spot(45.7, 4.9, map_picture.YES), spot(45.7, 4.8, map_picture.UNASKED)])
    assert drawn is not None
    assert drawn.marks[-1].group == map_picture.YES
    assert [group for group, _ in drawn.legend] == [map_picture.YES, map_picture.UNASKED]


def test_whoever_has_not_answered_is_waited_for() -> None:
    assert map_picture.group_of("accepted") == map_picture.WAITING
    assert map_picture.group_of("unconfirmed") == map_picture.YES
    assert map_picture.group_of("gave_up") == map_picture.NO
