"""All routes in one table, the hot ones first: Starlette looks through it from the top."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from node.web import activitypub, boosts, wellknown
from node.web.middleware import Frame
from node.web.pages import bundles, evidence, public
from node.web.site import Site
from node.web.veil import veiled

ROUTES = (
    Route("/inbox", activitypub.post_inbox, methods=["POST"]),
    Route("/.well-known/apgateway/{did}/actor/inbox", activitypub.post_inbox, methods=["POST"]),
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
    Route("/", veiled(public.home)),
    Route("/alerts", veiled(public.alert_list)),
    Route("/alerts/page/{number}", veiled(public.alert_list)),
    Route("/alerts/{id}", veiled(public.alert_page)),
    Route("/alerts/{id}/bundle", veiled(bundles.alert_bundle)),
    Route("/alerts/{id}/qr.svg", veiled(bundles.alert_qr)),
    Route("/bundles", bundles.bundle_form, methods=["GET"]),
    Route("/bundles", bundles.take_bundle, methods=["POST"]),
    Route("/members", public.member_list),
    Route("/evidence", evidence.index),
    Route("/evidence/{number}", evidence.document),
    Route("/organisations/{did}", veiled(public.organisation_page)),
    Route("/@{handle}", veiled(public.organisation_page)),
    Route("/groups", public.groups),
    Route("/charters", public.charters),
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
