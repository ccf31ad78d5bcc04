"""All routes in one table, the hot ones first: Starlette looks through it from the top."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from node.web import activitypub, boosts, media, wellknown
from node.web.middleware import Frame
from node.web.pages import bundles, evidence, feeds, letters, press, public, requests
from node.web.pages.desk import approvals, factors, join, network, offers, people, sign_in, withdrawals
from node.web.site import Site
from node.web.veil import veiled

ROUTES = (
    Route("/inbox", activitypub.post_inbox, methods=["POST"]),
    Route("/.well-known/apgateway/{did}/actor/inbox", activitypub.post_inbox, methods=["POST"]),
    Route("/.well-known/apgateway/hl:{digest}", veiled(media.get_file), methods=["GET"]),
    Route("/.well-known/apgateway/{did}/{path:path}", activitypub.get_portable, methods=["GET"]),
    Route("/.well-known/webfinger", wellknown.get_webfinger),
    Route("/actors/alerts/inbox", boosts.post_inbox, methods=["POST"]),
    Route("/actors/alerts", boosts.get_actor),
    Route("/actors/alerts/outbox", veiled(boosts.get_outbox)),
    Route("/actors/alerts/followers", boosts.get_followers),
    Route("/actors/alerts/activities/{token}", veiled(boosts.get_activity)),
    Route("/actors/alerts/notes/{token}", veiled(boosts.get_note)),
    Route("/actor", activitypub.get_application),
    Route("/actor/outbox", activitypub.get_application_outbox),
    Route("/actor/inbox", activitypub.post_inbox, methods=["POST"]),
    Route("/alerts/{id}/cap", veiled(feeds.cap_file)),
    Route("/press", veiled(press.index)),
    Route("/", veiled(public.home)),
    Route("/alerts", veiled(public.alert_list)),
    Route("/alerts.atom", veiled(feeds.atom)),
    Route("/alerts.json", veiled(feeds.json)),
    Route("/alerts/cap", veiled(feeds.cap_feed)),
    Route("/alerts/page/{number}", veiled(public.alert_list)),
    Route("/alerts/{id}", veiled(public.alert_page)),
    Route("/alerts/{id}/letters", veiled(letters.index)),
    Route("/alerts/{id}/letters/{number}/{language}", veiled(letters.letter)),
    Route("/alerts/{id}/letters/{number}/{language}/organisation", veiled(letters.organisation_letter)),
    Route("/alerts/{id}/letters/{number}/{language}/print", veiled(letters.sheet)),
    Route("/alerts/{id}/letters/{number}/{language}/organisation/print", veiled(letters.organisation_sheet)),
    Route("/alerts/{id}/bundle", veiled(bundles.alert_bundle)),
    Route("/alerts/{id}/qr.svg", veiled(bundles.alert_qr)),
    Route("/bundles", bundles.bundle_form, methods=["GET"]),
    Route("/bundles", bundles.take_bundle, methods=["POST"]),
    Route("/request", requests.request_form, methods=["GET"]),
    Route("/request", requests.take_request, methods=["POST"]),
    Route("/request/answer", requests.answer_form, methods=["GET"]),
    Route("/request/answer", requests.take_number, methods=["POST"]),
    Route("/members", public.member_list),
    Route("/evidence", evidence.index),
    Route("/evidence/{number}", evidence.document),
    Route("/organisations/{did}/alerts.atom", veiled(feeds.atom)),
    Route("/organisations/{did}/alerts.json", veiled(feeds.json)),
    Route("/organisations/{did}", veiled(public.organisation_page)),
    Route("/@{handle}", veiled(public.organisation_page)),
    Route("/groups", public.groups),
    Route("/charters", public.charters),
    Route("/desk", people.home),
    Route("/desk/sign-in", sign_in.sign_in_form, methods=["GET"]),
    Route("/desk/sign-in", sign_in.take_sign_in, methods=["POST"]),
    Route("/desk/sign-out", sign_in.sign_out, methods=["POST"]),
    Route("/desk/factor", sign_in.factor_form, methods=["GET"]),
    Route("/desk/factor", sign_in.take_factor, methods=["POST"]),
    Route("/desk/join/{token}", join.join_form, methods=["GET"]),
    Route("/desk/join/{token}", join.take_join, methods=["POST"]),
    Route("/desk/factors", factors.factors, methods=["GET"]),
    Route("/desk/factors/qr.svg", factors.totp_qr, methods=["GET"]),
    Route("/desk/factors/totp", factors.take_totp, methods=["POST"]),
    Route("/desk/factors/passkey", factors.new_passkey, methods=["GET"]),
    Route("/desk/factors/passkey", factors.take_passkey, methods=["POST"]),
    Route("/desk/factors/remove", factors.remove, methods=["POST"]),
    Route("/desk/factors/codes", factors.renew_codes, methods=["POST"]),
    Route("/desk/password", factors.take_password, methods=["POST"]),
    Route("/desk/sessions/end", factors.end_session, methods=["POST"]),
    Route("/desk/people", people.index, methods=["GET"]),
    Route("/desk/people/invite", people.invite, methods=["POST"]),
    Route("/desk/people/{person}", people.person_page, methods=["GET"]),
    Route("/desk/people/{person}/confirm", people.confirm, methods=["POST"]),
    Route("/desk/people/{person}/disable", people.disable, methods=["POST"]),
    Route("/desk/rooms/grant", people.grant, methods=["POST"]),
    Route("/desk/approvals", approvals.index),
    Route("/desk/approvals/{request}", approvals.one, methods=["GET"]),
    Route("/desk/approvals/{request}", approvals.speak, methods=["POST"]),
    Route("/desk/approvals/{request}/{size}/{number:int}", approvals.picture, methods=["GET"]),
    Route("/desk/sisters/{token}/{did}/pictures/{number:int}", approvals.sister_picture, methods=["GET"]),
    Route("/desk/sisters/{token}/{did}", approvals.sister, methods=["GET"]),
    Route("/desk/sisters/{token}/{did}", approvals.answer_sister, methods=["POST"]),
    Route("/desk/network", network.index),
    Route("/desk/network/{page}", network.one),
    Route("/desk/withdrawals", withdrawals.index),
    Route("/desk/withdrawals/{page}", withdrawals.board),
    Route("/desk/offers", offers.index, methods=["GET"]),
    Route("/desk/offers", offers.offer, methods=["POST"]),
    Route("/desk/offers/{offer}", offers.answer, methods=["POST"]),
    Route("/desk/lock", people.lock_form, methods=["GET"]),
    Route("/desk/lock", people.lock, methods=["POST"]),
    Route("/static/{name}", public.static),
    Route("/.well-known/nodeinfo", wellknown.get_nodeinfo_links),
    Route("/nodeinfo/2.1", wellknown.get_nodeinfo),
    Route("/.well-known/host-meta", wellknown.get_host_meta),
    Route("/healthz", wellknown.get_health),
    Route("/metrics", wellknown.get_metrics),
    Route("/{rest:path}", public.missing),
)


def build(site: Site) -> Starlette:
    """The ASGI application of one node."""
    app = Starlette(routes=list(ROUTES), middleware=[Middleware(Frame)])
    app.state.site = site
    return app
