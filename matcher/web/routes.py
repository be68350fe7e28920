"""Every URL of the service on one page: what people see, what programs call, what operators ask."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web

from matcher.service.actors import Role
from matcher.service.house import House, Part
from matcher.web import (
    account_page,
    api_calls,
    api_dead_mails,
    api_directory,
    api_factors,
    api_following,
    api_links,
    api_lists,
    api_replies,
    api_reports,
    api_resume,
    api_searches,
    calls_page,
    coming_page,
    confirm_page,
    consent_page,
    directory_page,
    doctor,
    doors_page,
    equity_page,
    guards,
    headers,
    health,
    lists_page,
    live,
    login,
    mailbox,
    office,
    openapi,
    openings_page,
    pages,
    psc_page,
    refusals_page,
    replies_page,
    reports_page,
    request_list_page,
    request_page,
    requester,
    rights_page,
    search_actions,
    search_page,
    second_step,
    sessions,
    trial_page,
    trials,
)
from matcher.web.keys import ERROR_PAGE, HOUSE, ROUTES
from matcher.web.route import ANYONE, Route

STATIC: Final = Path(__file__).with_name("static")

#: People: in French, with a session, but for the doctors' links.
PAGES: Final[tuple[Route, ...]] = (
    *login.ROUTES,  # /, /connexion, /deconnexion, /bienvenue
    *second_step.ROUTES,  # /connexion/territoire, /connexion/facteur, /territoire
    *psc_page.ROUTES,  # /connexion/pro-sante-connect
    *confirm_page.ROUTES,  # /confirmer
    *account_page.ROUTES,  # /compte
    *doors_page.ROUTES,  # /comptes, /equipe, /formulaire/{id}
    *office.ROUTES,  # /bureau
    *replies_page.ROUTES,  # /reponses/{id}
    *live.ROUTES,  # /direct
    *coming_page.PAGES,  # /echeances
    *search_page.ROUTES,  # /recherches, /recherches/{id}, …/fiche
    *search_actions.ROUTES,  # /recherches/{id}/lancer, …/choisir, …/retirer …
    *calls_page.ROUTES,  # /appels
    *request_list_page.ROUTES,  # /demande/liste, before /demande/{id}
    *request_page.ROUTES,  # /demande
    *consent_page.ROUTES,  # /accord
    *requester.ROUTES,  # /mes-demandes
    *lists_page.ROUTES,  # /listes
    *directory_page.ROUTES,  # /medecins
    *reports_page.ROUTES,  # /journal, /rapport, /reglages, /aide
    *trial_page.ROUTES,  # /reglages/essai
    *equity_page.PAGES,  # /rapport/equite
    *openings_page.PAGES,  # /journal/fiches, /recherches/{id}/acces
    *refusals_page.PAGES,  # /refus, /recherches/{id}/recours
    *rights_page.PAGES,  # /recherches/{id}/droits
    *doctor.ROUTES,  # /r, /dossier, /double-verification, /places, /mes-reponses
)

#: Programs: JSON under /api/v1, with a key, but for the links. And one-click unsubscribe, /u/TOKEN.
API: Final[tuple[Route, ...]] = (
    openapi.ROUTE,
    *api_searches.ROUTES,  # /searches, /searches/{id}, …/validate, …/launch, …/record …
    *api_following.ROUTES,  # …/choose, …/release/…, …/appointment, …/confirm, …/close …
    *api_calls.ROUTES,  # /calls, /calls/claim, …/calls
    *api_replies.ROUTES,  # /replies, /replies/{id}, /replies/{id}/settle
    *api_links.ROUTES,  # /links/open, /links/answer, /links/record …
    *api_factors.ROUTES,  # /links/sms, /links/card, /links/factor …, /doctors/{id}/second-factor
    *api_lists.ROUTES,  # /lists, /links/places
    *api_directory.ROUTES,  # /doctors, /doctors/{id}, /doctors/{id}/offers
    *api_dead_mails.ROUTES,  # /dead-mails, /dead-mails/{id}/retry, …/drop
    api_resume.ROUTE,  # /resume, after a restore
    *coming_page.ROUTES,  # /steps
    *api_reports.ROUTES,  # /journal, /report
    *equity_page.ROUTES,  # /equity
    *openings_page.ROUTES,  # /searches/{id}/accesses
    *refusals_page.ROUTES,  # /refusals, /searches/{id}/refusal/read, …/recourse
    *rights_page.ROUTES,  # /searches/{id}/export, …/erase
)

#: Operators: /healthz, /readyz, /metrics.
PROBES: Final[tuple[Route, ...]] = health.PROBES


#: Doctors' links need the keys that make tokens and open records.
_DOCTORS: Final = frozenset(route.path for route in (*doctor.ROUTES, *api_links.ROUTES, *api_factors.ROUTES))


def every(house: House) -> tuple[Route, ...]:
    """The routes of this installation; the mails of the rehearsal (/boite) only where there is a catcher."""
    caught = () if house.mailbox is None else mailbox.ROUTES
    served = (_of(house.part, route) for route in (*PAGES, *caught, *API, *PROBES))
    return tuple(route for route in served if route is not None)


def _of(part: Part, route: Route) -> Route | None:
    """The route as this part of the installation serves it, for fewer roles perhaps; None: not at all."""
    if part is Part.ALL:
        return route
    if route.allowed is ANYONE:
        return None if part is Part.INTAKE and route.path in _DOCTORS else route
    theirs = route.allowed & {Role.REQUESTER}
    mine = theirs if part is Part.INTAKE else route.allowed - theirs
    return replace(route, allowed=mine) if mine else None


def setup(app: web.Application, house: House) -> None:
    """Put every route and its guards into ``app``."""
    app[HOUSE] = house
    app[ROUTES] = every(house)
    app[ERROR_PAGE] = pages.error_page
    app[health.METERS] = health.Meters()
    guards.install(app)
    live.install(app)
    trials.install(app)
    app.middlewares.extend((health.metered, *guards.guards(sessions.DatabaseStorage(house))))
    app.on_response_prepare.append(headers.add_security_headers)
    for route in app[ROUTES]:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler, expect_handler=guards.refuse_early)
    app.router.add_static("/static", STATIC)
