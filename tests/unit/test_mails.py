"""The mails: every letter renders, says what it must, and nothing that it must not (P3).

Run with ``SNAPSHOTS=write`` to write ``snapshots/mails`` anew, after a text was changed on purpose.
"""

import html
import os
import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, UndefinedError, meta

from matcher.protocol.effects import Letter
from matcher.protocol.search import State
from messaging.letters import Letters, Rendered

FOLDER = Path(__file__).parents[2] / "templates" / "mail"
SNAPSHOTS = Path(__file__).parent / "snapshots" / "mails"
LETTERS = Letters(FOLDER)

ANSWER = "https://trait.example/r#Ab-Cd_9"
OTHER_ANSWER = "https://trait.example/r#Ij-Kl_7"
RECORD = "https://trait.example/dossier#Ef-Gh_8"
SET_UP = "https://trait.example/double-verification#Ij-Kl_7"
REQUESTS = "https://trait.example/mes-demandes"

EVERY: dict[str, Any] = {
    "territory": {
        "name": "CPTS de Vénissieux",
        "mail": "coordination@cpts-venissieux.example",
        "phone": "04 65 71 00 00",
        "hours": "du lundi au vendredi, 9 h – 17 h",
    },
    "signature": "Salima",
}
DATA = "https://trait.example/mes-reponses#Qr-St_5"
DOCTOR = {"doctor": {"title_name": "Dr Bruyère"}, "data_link": DATA}
ANNOUNCED = {
    **DOCTOR,
    "delegate": False,
    "sentence": "Une personne de 65 à 69 ans, quartier Parilly (environ 1 km de votre cabinet), cherche un "
    "médecin traitant. Consultations au cabinet.",
}
OTHER = "Un foyer de 2 adultes et 1 enfant, à Vénissieux, cherche un médecin traitant."


def answers(link: str) -> dict[str, str]:
    """Where the three buttons lead."""
    words = {"yes": "oui", "conditions": "conditions", "no": "non"}
    return {answer: link.replace("#", f"?reponse={word}#") for answer, word in words.items()}


ITEM = {"sentence": ANNOUNCED["sentence"], "link": ANSWER, "answer_links": answers(ANSWER)}
ASKED = {
    **ANNOUNCED,
    "subject_who": "une personne du quartier Parilly",
    "link": ANSWER,
    "answer_links": answers(ANSWER),
    "pause_link": ANSWER,
    "yes_held": "3 jours ouvrés",
}
#: The table of templates/mail/README.md, with a value for each variable.
CONTEXTS: dict[Letter, dict[str, Any]] = {
    Letter.ANNOUNCEMENT: ASKED,
    Letter.REMINDER: ASKED,
    Letter.DIGEST: {
        **DOCTOR,
        "delegate": False,
        "reminder": False,
        "items": [
            {**ITEM, "over": False},
            {
                **ITEM,
                "sentence": OTHER,
                "link": OTHER_ANSWER,
                "answer_links": answers(OTHER_ANSWER),
                "over": False,
            },
            {**ITEM, "sentence": OTHER, "over": True},
        ],
        "pause_link": ANSWER,
        "yes_held": "3 jours ouvrés",
    },
    Letter.LIST: {
        **DOCTOR,
        "persons": 84,
        "sentence": "84 patients cherchent un médecin traitant, à Vénissieux.",
        "link": "https://trait.example/places#Mn-Op_6",
    },
    Letter.CONFIRM_ANSWER: {**ANNOUNCED, "link": ANSWER},
    Letter.STILL_AVAILABLE: {**ANNOUNCED, "link": ANSWER},
    Letter.KEPT_IN_RESERVE: {**ANNOUNCED, "link": ANSWER},
    Letter.THANKED: ANNOUNCED,
    Letter.CHOSEN: {
        **DOCTOR,
        "link": RECORD,
        "renewed": False,
        "second_factor": "phone",
        "link_life": "30 jours",
        "code_life": "15 minutes",
    },
    Letter.NOT_OPENED: {**DOCTOR, "link": RECORD, "second_factor": "phone"},
    Letter.PLEASE_DELETE: {**DOCTOR, "given_on": "12 mars 2026"},
    Letter.SECOND_FACTOR: {**DOCTOR, "link": SET_UP},
    Letter.REQUESTER_NEWS: {"reference": "VEN-26-0042", "state": "asking", "link": REQUESTS},
    Letter.CHOICE_CHASED: {"reference": "VEN-26-0042", "proposals": 2, "link": REQUESTS},
}
TO_REQUESTERS = {Letter.REQUESTER_NEWS, Letter.CHOICE_CHASED}
TO_DOCTORS = [letter for letter in Letter if letter not in TO_REQUESTERS]
ABOUT_THE_RECORD = [Letter.CHOSEN, Letter.NOT_OPENED, Letter.PLEASE_DELETE]

#: Words that would tell a doctor, or a relay, more than the announcement (P3), or who asks.
FORBIDDEN = re.compile(
    r"couverture|assur|sécurité sociale|\bNIR\b|\bAME\b|\bC2S\b|\bPUMa\b|\bALD\b|\bPASS\b|CCAS|urgences|"
    r"nationalit|étrang|langue|interprète|\bsexe\b|\bfemme\b|\bhomme\b|\bmadame\b|\bmonsieur\b|enceinte|"
    r"hôpital|grossesse|maladie|santé mentale|handicap|précar|social|logement|héberg|"
    r"sans-abri|demandeur|orienté|adressé[e ]|VEN-",
    re.IGNORECASE,
)


def render(letter: Letter, **changed: object) -> Rendered:
    return LETTERS.render(letter, {**EVERY, **CONTEXTS[letter], **changed})


def words(page: str) -> str:
    """What a person reads of an HTML part, a paragraph or button a line."""
    body = re.sub(r"<!--.*?-->", "", page[page.index("<body") :], flags=re.DOTALL)
    body = re.sub(r"\s*\n\s*", " ", body)
    broken = re.sub(r"</p>|</td>|<br>", "\n", body)
    lines = (line.strip() for line in html.unescape(re.sub(r"<[^>]+>", "", broken)).split("\n"))
    return "\n".join(line for line in lines if line)


def everything(mail: Rendered) -> str:
    return f"{mail.subject}\n{mail.text}\n{words(mail.html)}"


@pytest.mark.parametrize("letter", Letter)
def test_the_text_of_a_letter_changes_on_purpose_only(letter: Letter) -> None:
    mail = render(letter)
    said = f"{mail.subject}\n{'=' * 70}\n{mail.text}{'=' * 70}\n{words(mail.html)}\n"
    kept = SNAPSHOTS / f"{letter.value}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        kept.write_text(said, "utf-8")
    assert said == kept.read_text("utf-8")


def test_no_letter_has_a_folder_too_many_and_none_lacks_one() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == {letter.value for letter in Letter}
    assert {path.stem for path in SNAPSHOTS.iterdir()} == folders
    for letter in Letter:
        files = {path.name for path in (FOLDER / letter.value).iterdir()}
        assert files == {"subject.txt", "body.txt", "body.html"}


@pytest.mark.parametrize("letter", Letter)
def test_a_letter_takes_exactly_the_variables_that_the_readme_names(letter: Letter) -> None:
    row = re.search(
        rf"^\| `{letter.value}` \| (.+) \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert row is not None
    named = set(re.findall(r"`(\w+)`", row[1]))
    assert named == set(CONTEXTS[letter])
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)
    used, waiting, seen = (
        set[str](),
        {f"{letter.value}/{part}" for part in ("subject.txt", "body.txt", "body.html")},
        set[str](),
    )
    while waiting:
        name = waiting.pop()
        seen.add(name)
        tree = environment.parse((FOLDER / name).read_text("utf-8"))
        used |= meta.find_undeclared_variables(tree)
        waiting |= {other for other in meta.find_referenced_templates(tree) if other is not None} - seen
    # The analysis does not follow an import into a block.
    assert used - {"button", "state_words", "state_next"} == named | set(EVERY)


@pytest.mark.parametrize("letter", Letter)
def test_a_variable_that_is_not_given_is_an_error_and_never_a_blank(letter: Letter) -> None:
    # What is read under another condition only.
    optional = {"code_life"} if letter is Letter.CHOSEN else set()
    for name in {*EVERY, *CONTEXTS[letter]} - optional:
        context = {**EVERY, **CONTEXTS[letter]}
        del context[name]
        with pytest.raises(UndefinedError):
            LETTERS.render(letter, context)


@pytest.mark.parametrize("letter", TO_DOCTORS)
def test_a_doctor_reads_nothing_of_the_person_but_the_announcement(letter: Letter) -> None:
    for changed in ({}, {"delegate": True}, {"second_factor": "sms"}, {"second_factor": "psc"}):
        mail = render(letter, **changed)
        assert not FORBIDDEN.findall(everything(mail))
        assert "CPTS de Vénissieux" in everything(mail)
        assert mail.subject.startswith("Dr Bruyère – ")


@pytest.mark.parametrize("letter", ABOUT_THE_RECORD)
def test_a_letter_about_the_record_does_not_even_repeat_the_announcement(letter: Letter) -> None:
    assert not {"sentence", "subject_who", "reference", "delegate"} & set(CONTEXTS[letter])
    assert not re.search(r"Parilly|\bans\b|\bkm\b|quartier", everything(render(letter)))


@pytest.mark.parametrize("letter", sorted(TO_REQUESTERS))
def test_a_requester_reads_a_reference_and_a_state_and_no_name(letter: Letter) -> None:
    mail = render(letter)
    assert mail.subject.startswith("VEN-26-0042 – ")
    assert not {"label", "patient", "doctor", "sentence"} & set(CONTEXTS[letter])
    assert "Dr " not in everything(mail)


@pytest.mark.parametrize("state", [state for state in State if state is not State.DRAFT])
def test_every_state_that_a_requester_may_hear_of_has_its_words(state: State) -> None:
    mail = render(Letter.REQUESTER_NEWS, state=state.value)
    assert state.value not in everything(mail)
    assert mail.subject.count("–") == 1
    assert len(mail.text.split("\n\n")[2]) > 20


@pytest.mark.parametrize("letter", [letter for letter in Letter if "link" in CONTEXTS[letter]])
def test_the_link_stands_in_both_parts_and_alone_on_its_line_in_the_plain_one(letter: Letter) -> None:
    mail = render(letter)
    link = CONTEXTS[letter]["link"]
    assert f"\n{link}\n" in mail.text
    assert f'href="{link}' in mail.html


@pytest.mark.parametrize("letter", Letter)
def test_a_mail_loads_nothing_and_links_to_us_only(letter: Letter) -> None:
    page = render(letter).html
    links = re.findall(r'href="([^"]+)"', page)
    assert all(link.startswith(("https://trait.example/", "mailto:coordination@")) for link in links)
    without_links = re.sub(r'href="[^"]*"|xmlns(:\w+)?="[^"]*"|>https://trait.example/[^<]*<', "", page)
    assert not re.search(
        r"https?:|//|url\(|@import|<img|<script|<link|<iframe|<form|\bsrc\s*=|\son\w+=", without_links
    )


@pytest.mark.parametrize("letter", Letter)
def test_the_html_suits_outlook_and_dark_mode(letter: Letter) -> None:
    page = render(letter).html
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="fr"' in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "prefers-color-scheme: dark" in page
    # Outlook's engine knows no flexbox, no grid, no positions; every table says that it is not data.
    assert not re.search(r"display:|position:|float:|<div", page)
    assert page.count("<table") == page.count('role="presentation"')
    assert re.search(r'<p[^>]+style="[^"]*font-family', page)


@pytest.mark.parametrize("letter", Letter)
def test_the_french_is_set_as_french_is(letter: Letter) -> None:
    for changed in ({}, {"delegate": True}, {"renewed": True}, {"proposals": 1}):
        said = everything(render(letter, **changed))
        assert "'" not in said
        assert not re.search(r"[ \w»][;!?]", said), "a narrow no-break space stands before ; ! ?"
        assert not re.search(r" :(?!//)|\w:(?!//)(?!\w)", said), "and before a colon"
        assert not re.search(r"« | »", said)
        assert not re.search(r"  |\t|None|\{|\}", said)
        assert not re.search(r"\b(tu|ton|ta|tes|cas)\b", said)


def test_a_delegate_is_asked_for_the_doctor_and_promised_no_record() -> None:
    mail = render(Letter.ANNOUNCEMENT, delegate=True)
    for part in (mail.text, words(mail.html)):
        assert part.startswith(("Bonjour,", "CPTS de Vénissieux\nBonjour,"))
        assert "pour Dr Bruyère" in part
        assert "sa fiche parvient au seul médecin" in part
        assert "Docteur" not in part


def test_each_announcement_of_a_digest_has_its_own_answers_and_an_ended_one_none() -> None:
    mail = render(Letter.DIGEST)
    for link in (ANSWER, OTHER_ANSWER):
        assert mail.text.count(f"\n{link}\n") == (2 if link == ANSWER else 1), "the pause has the first's"
        assert all(f'href="{where}"' in mail.html for where in answers(link).values())
    assert mail.subject == "Dr Bruyère – 3 annonces : des personnes cherchent un médecin traitant"
    assert words(mail.html).count("\nOui\n") == 2
    assert words(mail.html).count("est terminée") == mail.text.count("est terminée") == 1
    assert "répondez «" not in mail.text
    again = render(Letter.DIGEST, reminder=True)
    assert again.subject == "Dr Bruyère – 3 annonces attendent encore votre réponse"
    assert "une fois, et une seule" in again.text


@pytest.mark.parametrize("letter", [Letter.ANNOUNCEMENT, Letter.REMINDER, Letter.DIGEST, Letter.LIST])
def test_a_button_carries_its_colours_with_it(letter: Letter) -> None:
    cells = re.findall(r'<td class="(main|plain)"[^>]*style="([^"]*)"', render(letter).html)
    assert cells
    assert all("padding" in style and "border" in style for _, style in cells)
    assert all("background-color: #1f5c4d" in style for kind, style in cells if kind == "main")


def test_a_list_tells_a_count_and_a_commune_and_one_person_is_one_person() -> None:
    mail = render(Letter.LIST)
    assert mail.subject == "Dr Bruyère – 84 patients cherchent un médecin traitant"
    one = render(Letter.LIST, persons=1)
    assert one.subject == "Dr Bruyère – une personne cherche un médecin traitant"
    for part in (mail.text, words(mail.html)):
        assert "Combien pourriez-vous en accueillir" in part
        assert not re.search(r"\bans\b|quartier|\bkm\b|retraite", part)


def test_the_announcement_offers_three_answers_and_a_pause_when_there_is_one() -> None:
    mail = render(Letter.ANNOUNCEMENT)
    for label in ("Oui", "Oui, à certaines conditions", "Pas cette fois"):
        assert f"\n{label}\n" in words(mail.html)
    assert "30" in mail.text
    assert "sous 3 jours ouvrés" in mail.text
    without = render(Letter.ANNOUNCEMENT, pause_link=None, signature=None)
    assert "pause" not in everything(without)
    assert "\n--\nCPTS de Vénissieux\n" in without.text


@pytest.mark.parametrize("factor", ["phone", "sms", "totp", "psc"])
def test_the_chosen_doctor_reads_how_the_record_opens(factor: str) -> None:
    for letter in (Letter.CHOSEN, Letter.NOT_OPENED):
        said = render(letter, second_factor=factor).text
        told = {
            "phone": "C’est nous qui vous appelons",
            "sms": "un code par SMS",
            "totp": "application d’authentification",
            "psc": "Pro Santé Connect",
        }
        assert [name for name, phrase in told.items() if phrase in said] == [factor]


def test_a_renewed_release_says_that_the_old_link_is_dead() -> None:
    assert "remplace le précédent" not in render(Letter.CHOSEN).text
    assert "remplace le précédent" in render(Letter.CHOSEN, renewed=True).text


def test_a_value_cannot_become_markup() -> None:
    mail = render(Letter.ANNOUNCEMENT, sentence='<img src="https://evil.example/x"> {{ territory }}')
    assert "<img" not in mail.html
    assert "{{ territory }}" in mail.html
