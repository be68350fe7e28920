"""The French words for the codes of the protocol, as pages say them. Pure data, one dictionary per code."""

from typing import Final

from matcher.protocol import languages
from matcher.records.words import WHERE as WHERE
from matcher.service.phrases import duration

#: State of a search → what a person reads.
STATES: Final = {
    "draft": "brouillon",
    "submitted": "à relire",
    "returned": "à compléter par le demandeur",
    "ready": "prête à lancer",
    "asking": "médecins sollicités par mail",
    "calling": "appels en cours",
    "proposing": "réponse favorable, au choix du patient",
    "released": "médecin choisi, fiche transmise",
    "resting": "en pause",
    "attached": "médecin traitant trouvé",
    "unmet": "sans solution pour l’instant",
    "withdrawn": "retirée",
}

#: The same for a requester, who needs to know what to do rather than how it is done.
STATES_FOR_REQUESTER: Final = {
    **STATES,
    "submitted": "transmise à la CPTS",
    "returned": "à compléter",
    "ready": "acceptée, bientôt lancée",
    "asking": "recherche en cours",
    "calling": "recherche en cours",
    "proposing": "un médecin est d’accord",
    "released": "médecin choisi, rendez-vous à venir",
}

#: State → what happens next, for a requester.
NEXT_FOR_REQUESTER: Final = {
    "draft": "Complétez la demande puis transmettez-la.",
    "submitted": "La CPTS relit la demande, en général dans la journée.",
    "returned": "Complétez ce qui manque puis transmettez à nouveau.",
    "ready": "La CPTS va solliciter les médecins.",
    "asking": "Les médecins répondent sous quelques jours.",
    "calling": "La CPTS appelle les médecins un par un.",
    "proposing": "La personne doit dire si ce médecin lui convient.",
    "released": "Le médecin et la personne conviennent d’un rendez-vous.",
    "resting": "La recherche reprendra ; rien n’est perdu.",
    "attached": "Rien : la recherche est terminée.",
    "unmet": "La CPTS a noté la suite ; appelez-la pour en parler.",
    "withdrawn": "Rien : la recherche est arrêtée.",
}

#: Kind of the next automatic step (a timer) → what it does.
NEXT_STEPS: Final = {
    "settle": "prise en compte de la réponse",
    "held_overdue": "rappel : réponse en attente de votre avis",
    "reminder": "rappel par mail aux médecins restés silencieux",
    "next_wave": "deuxième vague de mails",
    "calls": "passage aux appels",
    "mail_overdue": "contrôle des mails non partis",
    "nobody_reached": "contrôle : aucun mail accepté",
    "yes_held": "le médecin est interrogé à nouveau sur son oui",
    "yes_lapses": "le oui non confirmé tombe",
    "choice_chase": "rappel : choix du patient attendu",
    "opening_reminder": "rappel au médecin : fiche non ouverte",
    "opening_call": "à appeler : fiche toujours non ouverte",
    "appointment_asked": "demande de la date du rendez-vous",
    "appointment_check": "vérification : rendez-vous honoré ?",
    "call_back": "rappel promis",
    "wake": "reprise de la recherche",
    "relaunch": "relance de la recherche",
    "untouched": "90 jours sans nouvelle : à revoir",
    "abandoned": "180 jours sans nouvelle : fin de la recherche",
    "grace_over": "destruction de la fiche (fin des 7 jours)",
    "retention_over": "fin de conservation",
}

#: Task of the office → why it is on the page.
TASKS: Final = {
    "answer_held": "Une réponse attend votre avis.",
    "answer_held_overdue": "Une réponse attend votre avis depuis plus d’un jour.",
    "nobody_reached": "Aucun mail n’a été accepté depuis une heure.",
    "mail_unreached": "Un mail n’est pas arrivé : le médecin passe aux appels.",
    "call_back": "Un rappel a été promis.",
    "last_yes_gone": "Le dernier oui est tombé.",
    "choice_waited_for": "Le choix du patient est attendu.",
    "record_not_opened": "La fiche n’a pas encore été ouverte.",
    "link_locked": "Cinq codes faux : le lien est bloqué.",
    "call_me_for_the_code": "Le médecin demande à être rappelé pour le code.",
    "release_unreached": "Le mail qui donne accès à la fiche n’est pas arrivé.",
    "appointment_date_wanted": "La date du rendez-vous n’est pas connue.",
    "appointment_to_check": "Le rendez-vous a-t-il été honoré ?",
    "appointment_missed": "Le rendez-vous a été manqué : une nouvelle date est à convenir.",
    "reconfirm": "Le besoin et l’accord sont à reconfirmer.",
    "patient_unreachable": "La personne n’a pas pu être jointe.",
    "relaunch_due": "La relance prévue est arrivée.",
    "late_yes": "Un oui est arrivé après la fin.",
    "doctor_gave_up": "Le médecin choisi a renoncé.",
    "both_released": "Deux recherches de la même personne ont chacune un médecin choisi.",
    "untouched": "Rien n’a bougé depuis 90 jours.",
}

CONDITIONS: Final = {
    "home_visits": "visites à domicile",
    "ehpad_visits": "visites en EHPAD",
    "step_free": "accès sans marche",
    "within_days": "rendez-vous rapide",
    "evenings": "consultations le soir",
    "saturdays": "consultations le samedi",
}

CALL_OUTCOMES: Final = {
    "no_answer": "Pas de réponse",
    "message_left": "Message laissé",
    "call_back": "À rappeler",
    "secretary_will_ask": "Le secrétariat demande",
    "yes": "Oui",
    "no": "Non",
    "not_taking": "Ne prend plus de patients",
    "do_not_call": "Ne plus appeler",
    "wrong_number": "Mauvais numéro",
}

SPOKE_WITH: Final = {
    "doctor": "le médecin",
    "secretary": "le secrétariat",
    "replacement": "le ou la remplaçant·e",
    "machine": "un répondeur",
    "nobody": "personne",
}

REFUSALS: Final = {
    "full": "patientèle complète",
    "too_far": "trop loin",
    "on_leave": "en congé",
    "other": "autre raison",
}

HANDOVERS: Final = {
    "page": "par la page sécurisée",
    "mssante": "par messagerie sécurisée (MSSanté)",
    "paper": "fiche imprimée, remise au patient",
    "read_by_phone": "fiche lue au téléphone",
}

#: State of a release → words.
RELEASES: Final = {
    "waiting": "en attente : le médecin ne l’a pas encore ouverte",
    "opened": "ouverte par le médecin",
    "locked": "lien bloqué après cinq codes faux",
    "handed_over": "remise autrement",
}

SOLICITATIONS: Final = {
    "queued": "mail en attente",
    "asked": "sollicité",
    "accepted": "sollicité",
    "dropped": "non envoyé",
    "unreached": "mail non arrivé",
    "open": "sans réponse",
    "yes": "oui",
    "unconfirmed": "oui à confirmer",
    "once": "dépanne une fois",
    "no": "non",
    "paused": "en pause",
    "declined": "écarté par le patient",
    "chosen": "choisi",
    "gave_up": "a renoncé",
    "settling": "réponse reçue",
    "held": "réponse à vérifier",
}

#: What a doctor answered.
SAYS: Final = {"yes": "oui", "no": "non", "pause": "pause", "undo": "retour en arrière"}

#: Kind of wish → words.
WISHES: Final = {
    "doctor_sex": "une femme ou un homme médecin",
    "language": "langue parlée",
    "max_distance_km": "distance maximale",
    "travel": "moyen de déplacement",
    "step_free": "accès sans marche",
    "home_visits": "visites à domicile",
    "sector1": "secteur 1, sans dépassement",
    "teleconsultation": "téléconsultation",
    "exclude": "médecins à éviter",
    "prefer": "médecins à solliciter d’abord",
}

CHANNELS: Final = {"mail": "mail", "phone": "téléphone"}

APPOINTMENTS: Final = {"planned": "prévu", "honoured": "honoré", "missed": "manqué"}

DECLARATIONS: Final = {
    "done": "déclaration faite en ligne",
    "paper": "déclaration sur papier",
    "later": "déclaration plus tard",
    "not_applicable": "sans objet",
}

CONTACTS: Final = {
    "reached": "La personne a répondu",
    "no_answer": "Pas de réponse",
    "message_left": "Message laissé",
    "through_requester": "Par le demandeur",
    "wrong_number": "Mauvais numéro",
}

WITHDRAWALS: Final = {
    "found_one": "la personne a trouvé elle-même",
    "consent": "accord retiré (la fiche est détruite aussitôt)",
    "duplicate": "doublon",
    "left": "départ du territoire",
    "death": "décès",
}

ENDINGS: Final = {
    "relaunch": "relancer à une date",
    "mediator": "saisir la médiation de la CPAM",
    "pass": "orienter vers la PASS en attendant",
    "nothing": "rien de plus pour l’instant",
}

PRIORITIES: Final = {
    "urgent": "urgente",
    "high": "haute",
    "normal": "normale",
}

#: Who did not go on, or what began again → the title of the reason that a person gave.
REASONS: Final = {
    "doctor": "Le médecin a renoncé",
    "patient": "La personne n’a pas souhaité continuer",
    "reopen": "Recherche rouverte",
}

CHOICES: Final = {
    "patient_chooses": "La personne choisit parmi les médecins d’accord",
    "first_match": "Le premier oui sans condition est retenu (si la personne l’a accepté)",
}

SPEAKS: Final = {"coordinatrice": "la CPTS", "requester": "le demandeur"}

GIVEN: Final = {"yes": "Oui", "undecided": "Pas encore décidé", "no": "Non"}

CONSENT_BY: Final = {
    "patient": "la personne elle-même",
    "parental_authority": "un titulaire de l’autorité parentale",
    "tutor": "le tuteur ou la tutrice, avec pouvoir sur la personne",
    "ase": "l’aide sociale à l’enfance",
}

LANGUAGES: Final = languages.NAMES

CONSENT_HOW: Final = {"oral": "à l’oral", "written": "par écrit"}

ROLES: Final = {
    "coordinatrice": "coordination",
    "coordinatrice_sociale": "coordination sociale",
    "secretaire": "secrétariat",
    "directrice": "direction",
    "requester": "demandeur",
    "operator": "exploitation",
}

#: Reasons for opening a record, journaled with the opening.
PURPOSES: Final = {
    "contact": "joindre la personne",
    "complete": "compléter ou corriger la demande",
    "proposal": "présenter une proposition",
    "handover": "transmettre la fiche au médecin choisi",
    "complaint": "répondre à une question ou une réclamation",
}

#: What a page says after something was done; the key travels in the address (``?fait=``).
DONE: Final = {
    "saved": "C’est enregistré.",
    "step": "C’est enregistré : vous pouvez vous arrêter ici et reprendre plus tard.",
    "draft": "Le brouillon est enregistré ; vous pourrez le reprendre plus tard.",
    "submitted": "La demande est transmise à la CPTS.",
    "validate": "La demande est validée : la recherche est prête à lancer.",
    "return": "La demande est renvoyée au demandeur avec ce qui manque.",
    "announcement": "L’annonce est changée.",
    "launch": "La recherche est lancée.",
    "wave": "Une nouvelle vague de mails part.",
    "calls": "La recherche passe aux appels.",
    "choose": "Le médecin est choisi. Les autres sont prévenus que leur oui reste en réserve.",
    "decline": "C’est noté : ces médecins ne seront plus sollicités pour cette recherche.",
    "code": "Un nouveau code est prêt.",
    "renew": "Un nouvel accès à la fiche est ouvert ; l’ancien ne vaut plus.",
    "settle": "La réponse est traitée.",
    "list_asked": "Les médecins sont sollicités : un mail à chacun, un seul.",
    "list_filled": "Les places sont réparties.",
    "reply": "La réponse du médecin est notée.",
    "appointment": "Le rendez-vous est noté.",
    "confirm": "C’est terminé : un médecin traitant est trouvé.",
    "desist": "La fin de cet accord est notée.",
    "attempt": "L’appel à la personne est noté.",
    "rest": "La recherche est en pause.",
    "wake": "La recherche reprend.",
    "withdraw": "La recherche est retirée.",
    "undo": "Le retrait est annulé.",
    "close": "La recherche est close.",
    "relaunch": "La recherche est relancée.",
    "reopen": "La recherche est rouverte, avec son ancienneté.",
    "consent": "L’accord de la personne est enregistré.",
    "reconfirm": "Le besoin et l’accord sont reconfirmés.",
    "widen": "La zone voisine pourra être appelée.",
    "priority": "La priorité est changée.",
    "split": "Le reste du foyer est devenu une nouvelle recherche.",
    "join": "Les deux recherches sont réunies.",
    "correct": "La correction est enregistrée.",
    "call": "L’appel est noté.",
    "yes": "L’appel est noté. Proposez ce oui à la personne.",
    "doctor": "Le médecin est enregistré.",
    "offer": "Les places sont enregistrées.",
    "again": "Le mail repart, à l’adresse que donne l’annuaire.",
    "resume": "Le service a repris : les mails et les échéances partent de nouveau.",
    "disabled": "Le compte est fermé.",
    "reset": "Le second facteur est retiré.",
    "revoked": "C’est fermé\N{NO-BREAK SPACE}: plus personne n’entre par là.",
    "password": "Votre mot de passe est changé.",
    "session": "C’est fermé\N{NO-BREAK SPACE}: il faudra s’y connecter de nouveau.",
    "factor": "Le second facteur est ajouté.",
    "factor_removed": "Le second facteur est retiré.",
    "logout": "Vous êtes déconnecté·e.",
    "enrolled": "Votre mot de passe est choisi : vous pouvez vous connecter.",
}

#: Who wrote a mail that came back.
REPLY_SENDERS: Final = {
    "doctor": "le médecin, de son adresse de l’annuaire",
    "delegate": "son secrétariat ou remplaçant",
    "other": "une autre adresse que celles de l’annuaire",
    "server": "un serveur de messagerie",
}

#: Why a person must read it.
REPLY_WHY: Final = {
    "bounce": "L’adresse est-elle encore bonne ? Un appel le dira ; corrigez-la alors dans l’annuaire.",
    "automatic": "Un répondeur l’a envoyé : personne n’a encore lu l’annonce.",
    "other": "Personne ne sait qui écrit : avant de compter cette réponse, appelez le cabinet au numéro de "
    "l’annuaire.",
    "counted": "La réponse est déjà comptée ; ce qui l’accompagne reste à lire.",
    "unclear": "Le texte ne dit pas clairement oui ou non : rien n’est compté sans vous.",
}

#: Age band, as figures keep it → words.
AGES: Final = {
    "0-15": "0 à 15 ans", "16-29": "16 à 29 ans", "30-49": "30 à 49 ans", "50-69": "50 à 69 ans",
    "70-": "70 ans et plus",
}  # fmt: skip
#: Kind of structure → words.
STRUCTURES: Final = {
    "pass": "PASS",
    "urgences": "urgences",
    "ccas": "CCAS",
    "social": "service social",
    "ehpad": "EHPAD",
    "permanence": "permanence",
    "infirmier": "cabinet infirmier",
    "pharmacien": "pharmacie",
    "medecin": "médecin",
    "autre": "autre",
    "cpts": "la CPTS elle-même",
}

#: Who acts, in the journal.
ACTORS: Final = {"staff": "équipe", "requester": "demandeur", "doctor": "médecin", "system": "service"}

#: What a refusal after release was.
AFTER_RELEASE: Final = {
    "refusal_room": "plus de place, ou plus le temps",
    "refusal_distance": "trop loin",
    "refusal_care": "soins que ce cabinet n’assure pas",
    "refusal_doubt": "doute : un motif que la loi interdit a pu jouer",
    "refusal_unknown": "motif inconnu",
}
#: Whom a letter of recourse is for.
RECOURSE: Final = {
    "cpam": "Au médiateur de la CPAM",
    "ordre": "Au conseil départemental de l’Ordre des médecins",
}
#: Who did not go on after the release.
GAVE_UP: Final = {"doctor": "le médecin", "patient": "la personne"}

#: Who asked for one's data, or for their end.
ASKED_BY: Final = {
    "asked_by_patient": "la personne l’a demandé",
    "asked_by_representative": "son représentant légal l’a demandé",
    "asked_by_authority": "une autorité l’a demandé",
}
#: Delay of the settings → what it means.
DELAYS: Final = {
    "reminder": "Rappel aux médecins silencieux, après le premier mail",
    "next_wave": "Deuxième vague, après la première",
    "calls": "Passage aux appels, après le premier mail accepté",
    "yes_held": "Durée pendant laquelle un oui est tenu",
    "choice_chase": "Rappel : choix de la personne attendu",
    "opening_reminder": "Rappel au médecin choisi : fiche non ouverte",
    "opening_call": "Appel au médecin choisi : fiche non ouverte",
    "appointment_asked": "Demande de la date du rendez-vous",
    "appointment_check": "Vérification, après la date du rendez-vous",
    "reconfirm": "Besoin et accord à reconfirmer au-delà de",
}
_UNITS: Final = {
    "H": ("heure ouvrée", "heures ouvrées"),
    "M": ("minute", "minutes"),
    "S": ("seconde", "secondes"),
}


def kept(written: str) -> str:
    """How long something is kept: ``P90D`` as « 90 jours », ``P1095D`` as « 3 ans »."""
    return duration(written, weekdays=False)


def delay(written: str | None) -> str:
    """``P2D`` as « 2 jours ouvrés », ``PT2H`` as « 2 heures ouvrées »; None as « aucun »."""
    if written is None:
        return "aucun"
    number = int("".join(sign for sign in written if sign.isdigit()))
    one, many = ("jour ouvré", "jours ouvrés") if written.endswith("D") else _UNITS[written[-1]]
    return f"{number} {one if number < 2 else many}"
