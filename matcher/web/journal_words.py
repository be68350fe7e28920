"""What the journal keeps, in French: what was done, how, and why."""

import re
from typing import Final

from matcher.web import words

#: What is done, in the journal; what is not listed is shown as it is.
ACTIONS: Final = {
    "draft": "brouillon", "submit": "demande transmise", "return": "demande renvoyée",
    "validate": "demande validée", "correct": "correction", "announce": "annonce choisie",
    "consent": "accord noté", "reconfirm": "reconfirmation", "launch": "lancement", "wave": "vague",
    "start_calls": "passage aux appels", "widen": "élargissement", "mail_accepted": "mail accepté",
    "mail_dropped": "mail abandonné", "mail_dead": "mail impossible",
    "mail_noted": "mail non remis, noté", "mail_sent_again": "mail non remis, renvoyé",
    "restored": "copie remise en service",
    "resumed": "reprise après copie", "forgotten": "recherche oubliée",
    "erased": "données effacées à la demande", "refusal_read": "refus lu",
    "recourse_letter": "lettre de recours préparée", "answer": "réponse",
    "settle_held": "réponse tranchée", "call": "appel", "choose": "choix", "decline": "proposition écartée",
    "renew_release": "accès renouvelé", "lock_release": "lien bloqué", "call_me": "rappel demandé",
    "open_record": "fiche ouverte par le médecin", "open_record_staff": "fiche ouverte par l’équipe",
    "print_record": "fiche imprimée", "acknowledge": "réception confirmée", "desist": "désistement",
    "appointment": "rendez-vous", "confirm": "médecin traitant trouvé",
    "contact_attempt": "appel à la personne",
    "rest": "pause", "wake": "reprise", "withdraw": "retrait", "undo_withdrawal": "retrait annulé",
    "close": "clôture", "relaunch": "relance", "reopen": "réouverture", "split": "foyer partagé",
    "join": "demandes réunies", "new_code": "nouveau code", "wrong_code": "code faux",
    "priority": "priorité changée", "login": "connexion", "login_failed": "connexion refusée",
    "enrolled": "mot de passe choisi", "user_added": "compte ajouté", "key_added": "clé ajoutée",
    "confirm_failed": "confirmation refusée", "factor_failed": "second facteur refusé",
    "factor_added": "second facteur ajouté", "factor_removed": "second facteur retiré",
    "factors_reset": "second facteur remis à zéro", "recovery_used": "code de secours utilisé",
    "recovery_made": "codes de secours refaits", "password_changed": "mot de passe changé",
    "user_disabled": "compte fermé", "structure_put": "structure enregistrée",
    "key_rotated": "clé remplacée", "key_revoked": "clé fermée", "form_added": "formulaire partagé",
    "form_renewed": "code de formulaire refait", "form_revoked": "formulaire fermé",
    "open_contact_staff": "coordonnées ouvertes par l’équipe",
    "doctor_added": "médecin ajouté", "doctor_corrected": "médecin corrigé", "pause": "pause du médecin",
    "record_exported": "fiche remise à la personne", "offer_declared": "places déclarées",
    "offer_noted": "places déclarées", "mailbox_flagged": "adresse en erreur",
    "reply_read": "réponse par mail lue", "reply_settled": "réponse par mail traitée",
    "doctors_imported": "annuaire importé", "population_imported": "habitants importés",
    "factor_mobile": "numéro mobile noté pour le code", "factor_link": "lien du second facteur envoyé",
    "list_asked": "liste de patients proposée", "list_answered": "réponse à une liste",
    "list_answer_settled": "réponse à une liste tranchée",
    "travel_imported": "temps de trajet importés", "init": "territoire installé", "time": "échéance",
    "put_off": "échéance manquée, remise au matin", "sms_code": "code envoyé par SMS",
    "factor_confirmed": "second facteur confirmé", "reply_to_read": "message reçu, à lire",
}  # fmt: skip
#: Kind of letter → what it is, in the journal.
LETTERS: Final = {
    "announcement": "annonce", "reminder": "rappel", "digest": "annonces regroupées",
    "list": "liste de patients", "second_factor": "second facteur",
    "confirm_answer": "réponse à confirmer",
    "still_available": "oui redemandé", "kept_in_reserve": "oui gardé en réserve", "thanked": "remerciement",
    "chosen": "accès à la fiche", "not_opened": "fiche non ouverte", "please_delete": "fiche à supprimer",
    "requester_news": "nouvelle au demandeur", "choice_chased": "choix attendu",
}  # fmt: skip


_ID: Final = re.compile(r"[0-9a-f]{32}")
#: How somebody came in, in the journal.
WAYS_IN: Final = {
    "password": "mot de passe", "totp": "code de l’application", "passkey": "clé d’accès",
    "recovery": "code de secours", "psc": "Pro Santé Connect", "form": "formulaire partagé",
}  # fmt: skip


def action(what: str) -> str:
    """What was done, as the journal's page says it; a step of the clock by what came due."""
    if what.startswith("time/"):
        return words.NEXT_STEPS.get(what.removeprefix("time/"), ACTIONS["time"])
    return ACTIONS.get(what, what)


def detail(purpose: str) -> str:
    """The word that the journal keeps with it: a reason, an answer, the outcome of a call, a letter."""
    for said in (
        words.PURPOSES,
        words.ASKED_BY,
        {"care": "suivre la personne"},
        words.REFUSALS,
        words.AFTER_RELEASE,
        words.RECOURSE,
        words.GAVE_UP,
        words.SAYS,
        words.CALL_OUTCOMES,
        LETTERS,
        WAYS_IN,
        words.NEXT_STEPS,
    ):
        if purpose in said:
            return said[purpose] if said is WAYS_IN else said[purpose][:1].lower() + said[purpose][1:]
    # The ids of shared forms and structures tell a reader nothing.
    return "" if _ID.fullmatch(purpose) else purpose


#: What somebody saw or was given of a record.
SEEN: Final = {
    "open_contact_staff": "identité et coordonnées affichées",
    "open_record_staff": "fiche affichée",
    "open_record": "fiche ouverte avec son code",
    "print_record": "fiche imprimée ou téléchargée",
    "record_exported": "fiche remise à la personne",
    "recourse_letter": "lettre de recours préparée, avec votre accord",
    "choose": "fiche envoyée au médecin que vous avez choisi : {doctor}",
    "renew_release": "nouvel accès envoyé : {doctor}",
    "desist": "fin de l’accès : {doctor}",
}
#: Why it was seen: the reasons that are chosen from, and those that go without saying.
WHY: Final = words.PURPOSES | words.ASKED_BY | {"care": "suivre la personne", "other": "autre motif"}
