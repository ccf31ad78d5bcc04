"""The fields of each form of a case."""

from node import alert_terms as terms
from node import consents as words
from node.alert_countries import COUNTRIES
from node.web.pages.desk.case_fields import Field

LANGUAGES = ("ar", "ckb", "ku", "en", "fa", "tr", "fr", "es")
VIOLATIONS = (
    "killing", "attempted-killing", "death-threat", "abduction", "enforced-disappearance", "arbitrary-detention",
    "incommunicado-detention", "torture", "ill-treatment", "physical-attack", "threat", "threat-to-family",
    "psychological-pressure", "harassment", "smear", "online-abuse", "fabricated-images", "surveillance", "hacking",
    "raid", "seizure-of-property", "judicial-harassment", "unfair-trial", "denial-of-lawyer",
    "denial-of-medical-care", "travel-ban", "movement-restriction", "deportation", "forced-eviction",
    "forced-displacement", "land-seizure", "dismissal", "organisation-closure", "funding-freeze",
    "website-blocking", "internet-shutdown", "ban-on-assembly", "dispersal-of-protest", "reprisal", "other",
)  # fmt: skip
DRIVERS = (
    "dispossession", "impoverishment", "inequality", "repression", "repression-law", "extractive-project", "mining",
    "hydro-project", "land", "corporate-capture", "patriarchal-violence", "armed-conflict", "other",
)  # fmt: skip
CHECKS = ("unknown", "single-source", "two-independent", "document", "official")
ASK = (
    Field("what", "text", required=True), Field("imminent", "tick"), Field("who", "line"), Field("place", "line"),
    Field("avoid", "line"), Field("contact", "line"), Field("vouched_by", "line"),
)  # fmt: skip
PERSON = (
    Field("name", "line"),
    Field("kind", "choice", terms.SUBJECT_KINDS, "whose"),
    Field("publication_level", "choice", terms.PUBLICATION_LEVELS, "publication-level"),
    Field("public_name", "line"),
    Field("situation", "choice", words.SITUATIONS, "situation"),
    Field("minor", "tick"),
    Field("relative", "tick"),
    Field("in_alert", "maybe", ("yes", "no"), "yes-no"),
    Field("contact", "line", group="inside"),
    Field("sensitive", "text", group="inside"),
    Field("sensitive_types", "tick", group="inside"),
)
CONSENT = (
    Field("given_by", "choice", words.GIVERS, "consent-giver", required=True),
    Field("how", "line", required=True),
    Field("given", "day"),
    Field("level", "choice", words.LEVELS, "consent-level", required=True),
    Field("valid_until", "day", required=True),
    Field("free", "tick"),
    Field("excluded", "many", words.EXCLUDABLE, "excludable"),
    Field("languages", "many", LANGUAGES, "language"),
    Field("audiences", "lines"),
    Field("withdrawal_contact", "line"),
    Field("family_safe", "tick", group="family"),
    Field("family_reason", "text", group="family"),
    Field("advance", "tick", group="instruction"),
    Field("text", "text", group="instruction"),
    Field("scope", "many", words.SITUATIONS, "situation", group="instruction"),
    Field("necessity", "text", group="presumed"),
)
SOURCE = (
    Field("kind", "line", required=True), Field("note", "text"), Field("independent", "tick"),
    Field("document", "tick"), Field("contact", "line"),
)  # fmt: skip
PERPETRATOR = (
    Field("description", "line", required=True), Field("name", "line"), Field("sources", "number"),
    Field("official", "tick"),
)  # fmt: skip
OFFICE = (
    Field("office", "line", required=True), Field("country", "choice", tuple(sorted(COUNTRIES)), "country"),
    Field("language", "choice", LANGUAGES, "language"), Field("contact", "line", group="inside"),
)  # fmt: skip
VERIFICATION = (
    Field("level", "choice", CHECKS, "check", required=True),
    Field("status", "choice", ("unknown", "confirmed"), "checked"),
    Field("note", "text"),
)
INSIDE = (
    Field("place_full", "line"), Field("travel_plan", "line"), Field("lawyer", "line"), Field("contacts", "lines"),
    Field("notes", "text"),
)  # fmt: skip
GRADES = (
    Field("status", "choice", terms.STATUSES, "alert-status"),
    Field("country", "choice", tuple(sorted(COUNTRIES)), "country", required=True),
    Field("severity", "choice", terms.SEVERITIES, "severity"),
    Field("urgency", "choice", terms.URGENCIES, "urgency"),
    Field("certainty", "choice", terms.CERTAINTIES, "certainty"),
    Field("expires", "day", required=True),
    Field("company_or_project", "line"),
    Field("endorsement_mode", "choice", terms.ENDORSEMENT_MODES, "endorsement"),
    Field("republish", "tick"),
    Field("drivers", "many", DRIVERS, "driver", group="drivers"),
)
GRADING = (
    Field("kind", "choice", terms.KINDS, "kind"),
    *GRADES,
    Field("deadline", "day"),
    Field("relation_to_network", "choice", ("member", "staff", "close-partner"), "relation"),
    Field("violation_types", "many", VIOLATIONS, "violation", group="violations"),
)
RISKS = (Field("risks", "text", required=True), Field("embargo_until", "moment"))
TEXT = (
    Field("language", "choice", LANGUAGES, "language", required=True), Field("headline", "line", required=True),
    Field("narrative", "text", required=True), Field("link_to_work", "text", required=True),
    Field("demands", "lines", required=True),
)  # fmt: skip
RESULT = (
    Field("kind", "choice", terms.RESULTS, "result"), Field("text", "text", required=True),
    Field("known", "day", required=True), Field("lessons", "text"), Field("proactive_next", "text"),
)  # fmt: skip
