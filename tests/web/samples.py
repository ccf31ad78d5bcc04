"""Invented pages for tests: every alert here is an exercise, no organisation and no person is real."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from node import alert_share, follow_links
from node.charter_differences import Difference, Piece
from node.charters import Affirmation, Affirmed
from node.joinings import Answer as Word
from node.web.charters import (
    ArticleView,
    CharterCard,
    CharterPage,
    DifferenceView,
    HeadView,
    SignatoryView,
    TextView,
)
from node.web.pages.follow import FollowView
from node.web.pages.groups import GroupCard, GroupPage, Update
from node.web.pages.joining import AnswerView, DoorView
from node.web.pages.moderators import Account, ModeratorsView
from node.web.views import (
    AlertCard,
    AlertList,
    AlertPage,
    BundleView,
    Feed,
    Frame,
    Handed,
    HomeView,
    LetterList,
    LetterPage,
    MemberCard,
    MemberList,
    NewsItem,
    Office,
    OrganisationView,
    PressView,
    RequestView,
    Seen,
    SeenList,
    Share,
    Shown,
    Signature,
    Signing,
    Subject,
    Target,
    ThreadView,
    Whole,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DID = "did:key:z6MkexampLeexampLeexampLeexampLeexampLeexampLeex"
NAMES = (
    ("منظمة السدرة للتدريب على حماية المدافعات", "ar"),
    ("شبكة الينبوع التدريبية", "ar"),
    ("Cedar Lane Exercise Collective", "en"),
    ("ڕێکخراوی ڕاهێنانی چنار", "ckb"),
)
AFFIRMED = tuple(
    Affirmation(f"ap+ef61://{DID}/objects/{n}", DID, "x", "z", (), "EXERCISE", "en", NOON, (1, n)) for n in range(3)
)
HEADLINES = (
    "احتجاز مدافعة عن الحق في المياه عقب اعتصام سلمي",
    "تهديدات متكررة لعائلة منسقة مجموعة نسوية بعد نشر تقرير عن إخلاء الأحياء القديمة",
    "مداهمة مقر جمعية محلية ومصادرة أجهزتها",
    "منع ثلاثة من أعضاء وفد حقوقي من السفر",
    "حملة تشهير منظمة ضد محاميات يتابعن ملف الأراضي",
)

GROUP = GroupPage(
    GroupCard("/groups/women", {"ar": "مجموعة تدريب", "en": "Exercise group"}, "@women@drill0.example", NOON), DID,
    (Update("Cedar Lane Exercise Collective", "/organisations/x", Markup("<p>تدريب: كلمة إلى الجميع</p>"), "تدريب",
            "ar", NOON, True, "ap+ef61://x", DID),),
    ("@women@drill1.example",),
)  # fmt: skip


def frame(path: str, nav: str = "", **changes: object) -> Frame:
    name, language = NAMES[0]
    return replace(Frame(name, language, path, nav), **changes)


def card(number: int = 0, **changes: object) -> AlertCard:
    name, language = NAMES[number % 2]
    sample = AlertCard(
        path=f"/alerts/hT7kQ2mVx9Lw4Zr{number:05}",
        author_name=name,
        author_language=language,
        author_path=f"/@drill{number % 2}@drill{number % 2}.example",
        headline=HEADLINES[number % len(HEADLINES)],
        language="ar",
        kind="urgent-appeal",
        country=("XX", "IQ")[number % 2],
        severity=("severe", "extreme", "moderate", "unknown")[number % 4],
        urgency=("immediate", "expected", "past")[number % 3],
        certainty="likely",
        published=NOON - timedelta(days=number),
        via=None if number % 2 else "drill1.example",
        reference=f"XXX {number:03} / 1126 / NODE 012",
    )
    return replace(sample, **changes)


def twenty() -> AlertList:
    return AlertList(
        tuple(card(number) for number in range(20)), newer="/alerts/page/1", older="/alerts/page/3"
    )


def mixed() -> AlertList:
    return AlertList(
        alerts=(
            card(0, state="corrected", updated=NOON),
            card(
                1,
                author_name=NAMES[2][0],
                author_language="en",
                language="en",
                headline="Defender of the right to water detained after a peaceful sit-in",
            ),
            card(2, state="expired", updates=11, latest=NOON),
            card(3, author_name=NAMES[3][0], author_language="ckb", warnings=("gap",)),
            card(4, verified=False, state="closed", headline="W" * 90),
        ),
        exercises=(card(5, status="exercise"), card(6, status="test")),
        older="/alerts/page/2",
    )


def page(**changes: object) -> AlertPage:
    sample = AlertPage(
        card=card(0),
        did=DID,
        handle="@drill0@drill0.example",
        epoch=1,
        sequence=1234,
        proof_url="https://drill0.example/.well-known/apgateway/" + DID + "/activities/hT7kQ2mVx9Lw4Zr00000",
        original_url="https://drill0.example/alerts/hT7kQ2mVx9Lw4Zr00000",
        narrative="وفق معلومات تلقّتها منظمتنا، أوقفت قوة أمنية صباح يوم التدريب مدافعة عن الحق في المياه"
        " عقب مشاركتها في اعتصام سلمي. وحتى ساعة إعداد هذا النداء لا يزال مكان احتجازها مجهولاً.\n\n"
        "هذا نص تدريبي لا يشير إلى أي شخص حقيقي أو واقعة فعلية.",
        link_to_work="نظّمت لقاءات للأهالي بشأن الحصص المائية، وتلقّت تهديدات على خلفية هذا العمل.",
        demands=(
            "الكشف فوراً عن مصيرها ومكان احتجازها وضمان سلامتها الجسدية والنفسية",
            "تمكينها فوراً من التواصل مع أسرتها ومحامٍ من اختيارها ومن الرعاية الطبية",
            "الإفراج عنها فوراً ودون قيد أو شرط",
        ),
        deadline=NOON + timedelta(days=40),
        expires=NOON + timedelta(days=70),
        violation_types=("incommunicado-detention", "threat"),
        drivers=("extractive-project", "dispossession"),
        relation_to_network="member",
        endorsement_mode="individual",
        subjects=(Subject("مدافعة عن الحق في المياه", "person"), Subject("", "family")),
        targets=(Target("وزارة العدل، بلد تدريبي", "XX"), Target("البعثة الدائمة لبلد تدريبي", "XX")),
        verification_level="two-independent",
        pictures=(
            Shown("باب مغلق (تدريب)", "/.well-known/apgateway/hl:zQm1", "/.well-known/apgateway/hl:zQm2", 320, 240, 91),
            Shown("<img src=x onerror=y>", "", "", 320, 240, 1),
        ),
        translations=(("en", "/alerts/aB3"), ("ckb", "/alerts/cD4")),
        bundle_path="/alerts/hT7kQ2mVx9Lw4Zr0/bundle",
        qr_path="/alerts/hT7kQ2mVx9Lw4Zr0/qr.svg",
        cap_path="/alerts/hT7kQ2mVx9Lw4Zr0/cap",
        share=share(),
        actions=("write", "share"),
        letters_path="/alerts/hT7kQ2mVx9Lw4Zr0/letters",
        sisters=tuple(f"https://drill{number}.example/alerts/hT7kQ2mVx9Lw4Zr00000" for number in (1, 2)),
    )
    return replace(sample, **changes)


def share(**changes: object) -> Share:
    text = "\n".join(
        (NAMES[0][0], HEADLINES[0], "نداء عاجل · تدريب", "كلمة تدريبية " * 22 + "…",
         "رمز النداء: \u2068XXX 000 / 1126 / NODE 012\u2069", "https://drill0.example/alerts/hT7kQ2mVx9Lw4Zr0")
    )  # fmt: skip
    sample = Share(
        text=text,
        language="ar",
        ways=alert_share.addresses(text, HEADLINES[0]),
        title=f"{NAMES[0][0]}: {HEADLINES[0]}",
        description="نداء عاجل · تدريب — " + "كلمة تدريبية " * 12 + "…",
        address="https://drill0.example/alerts/hT7kQ2mVx9Lw4Zr0",
        site=NAMES[0][0],
    )
    return replace(sample, **changes)


def organisation(**changes: object) -> OrganisationView:
    name, language = NAMES[0]
    sample = OrganisationView(
        name,
        language,
        "XX",
        "@drill0@drill0.example",
        DID,
        "/@drill0@drill0.example",
        ("ar", "en", "ckb"),
        "منظمة متخيَّلة تتدرّب على إصدار النداءات العاجلة وحفظ نسخ من نداءات المنظمات الشقيقة.",
        (card(0), card(2), card(4)),
    )
    return replace(sample, **changes)


def members() -> MemberList:
    cards = [
        MemberCard(
            name, language, "XX", f"@drill{n}@drill{n}.example", DID, f"/@drill{n}@drill{n}.example", count
        )
        for n, ((name, language), count) in enumerate(zip(NAMES, (12, 1, 0, 103), strict=True))
    ]
    return MemberList(tuple(cards), unlisted=3)


FEEDS = (Feed("atom", "/alerts.atom"), Feed("json", "/alerts.json"), Feed("cap", "/alerts/cap"))

def news(number: int, **changes: object) -> NewsItem:
    sample = NewsItem(
        path=f"/alerts/nW7kQ2mVx9Lw4Zr{number:05}",
        headline=HEADLINES[number % len(HEADLINES)],
        language="ar",
        published=NOON + timedelta(days=number),
        narrative="سُمح لمحاميها بزيارتها للمرة الأولى، ولم تُوجَّه إليها أي تهمة حتى الآن. هذا نص تدريبي.",
    )
    return replace(sample, **changes)


def signing(**changes: object) -> Signing:
    names = tuple(Signature(name, language, f"/organisations/{DID}") for name, language in NAMES)
    sample = Signing(
        phase="delivered",
        names=names,
        unnamed=3,
        known=12,
        digest="zQmXdTUkHTmPswrpgWBCEpfmA7VMCCoUyuCMxvbNUfWeKbb",
        opens=NOON,
        closes=NOON + timedelta(days=3),
        as_of=NOON + timedelta(days=9),
        handed=Handed(NOON + timedelta(days=4), "وزارة العدل، بلد تدريبي", 8),
    )
    return replace(sample, **changes)

TOLD = datetime(2026, 11, 20, 12, tzinfo=UTC)

def charter_card(**changes: object) -> CharterCard:
    name, _ = NAMES[0]
    return replace(
        CharterCard(
            "/charters/0123456789abcdef", "تدريب: ميثاق متخيَّل", "ar", "charter", name, "", NOON, 4,
            "zQmQ8LwtRDPCzQU8WkKXvJWTjEUXDfeyRYmXepx2xs4JZwG", False,
        ),
        **changes,
    )  # fmt: skip


def charter_page() -> CharterPage:
    articles = tuple(ArticleView(str(number), f"article-{number}", "Exercise", ("EXERCISE",)) for number in (1, 2))
    texts = (
        TextView("ar", "rtl", "تدريب: ميثاق متخيَّل", ("تدريب",), articles),
        TextView("en", "ltr", "EXERCISE: an invented charter", (), ()),
    )
    names = tuple(SignatoryView(name, language, DID, "", NOON, ("1",)) for name, language in NAMES[:2])
    return CharterPage(
        card=charter_card(replaced=True), adoption="each", texts=texts, signatories=names,
        affirmed=Affirmed(AFFIRMED, 1, {}), versions=(charter_card(), charter_card(digest="zOther")),
        proof_url="https://drill0.example/x", heads=(HeadView(DID, 1, 7, "z"),),
    )  # fmt: skip


FOLLOW = FollowView({"ar": NAMES[0][0]}, "@drill0@drill0.example", "/@drill0", "/@drill0/follow", FEEDS[:2])
MODERATORS = ModeratorsView(
    "abuse@drill0.example", "abuse@drill0.example", press=True,
    accounts=(
        Account("@drill0@drill0.example", "organisation", "Organization", f"https://drill0.example/{DID}/actor#main-key"),
        Account("@alerts@drill0.example", "alerts", "Service", "https://drill0.example/actors/alerts#main-key"),
        Account("", "fetcher", "Application", "https://drill0.example/actor#main-key"),
    ),
    lately=3, agent="tadamun/0.1.0", host="drill0.example",
)  # fmt: skip


OFFICE = Office(
    "وزارة العدل، بلد تدريبي", "ar", "مديرية الشكاوى (تدريب)", "XX", NOON, "office@drill0.example",
    "1 Exercise Street\nXX", "+999 000", "https://drill0.example/office",
    (("ar", "/alerts/a/letters/1/ar"), ("en", "/alerts/a/letters/1/en")),
)  # fmt: skip
LETTER = LetterPage(
    card=card(0), office=OFFICE, language="ar", rtl=True, text="تدريب: السيد الوزير،\n\n" + "كلمة تدريبية " * 90,
    organisation=False, drill=True, path="/alerts/a/letters/1/ar", other_path="/alerts/a/letters/1/ar/organisation",
    print_path="/alerts/a/letters/1/ar/print", list_path="/alerts/a/letters", mail="mailto:office@drill0.example",
    whole=False, facts_language="en", do_not=("لا تُنشر صورتها (تدريب)",),
)  # fmt: skip
DOOR = DoorView(
    {"ar": "شبكة تدريب"}, (NAMES[0][0], NAMES[2][0]), NOON, problem=422, wrong=("name", "work"), said={"name": "تدريب"},
    number="0123 4567 8901 2345",
)  # fmt: skip
SEEN = Seen("fork", NAMES[1][0], "ar", "/organisations/x", "drill1.example", NOON, True, True, 2, "/evidence/1")
PIECES = (Piece("same", "كلمة "), Piece("removed", "قديمة"), Piece("added", "جديدة (تدريب)"))
CHANGED = (Difference("title", "changed", (), PIECES), Difference("3", "changed", PIECES, PIECES))
DIFFERENCES = (DifferenceView("ar", "rtl", CHANGED),)
TAKEN = BundleView(True, new=2, refused=1, reasons=("line 3: no",), alerts=(("/alerts/a", HEADLINES[1], "ar"),))
DECLINED = AnswerView(opened=True, due=NOON, deletes=NOON, answer=Word("declined", "own-words", "تدريب: لا", ""))


PAGES: dict[str, tuple[str, Frame, dict[str, object]]] = {
    "home": ("home.html", frame("/", "home", feeds=FEEDS), {"home": HomeView(organisation(), 12)}),
    "home-empty": ("home.html", frame("/", "home"), {"home": HomeView(organisation(alerts=(), summary=""))}),
    "alerts": ("alerts/index.html", frame("/alerts", "alerts"), {"list": mixed()}),
    "alerts-full": ("alerts/index.html", frame("/alerts", "alerts"), {"list": twenty()}),
    "alerts-empty": ("alerts/index.html", frame("/alerts", "alerts"), {"list": AlertList()}),
    "alert": ("alerts/alert.html", frame("/alerts/a"), {"alert": page()}),
    "alert-story": (
        "alerts/alert.html",
        frame("/alerts/s"),
        {
            "alert": page(
                news=(news(3), news(2, state="corrected", correction="كان اسم المحكمة خاطئاً (تدريب)."), news(1)),
                signing=signing(),
                card=card(0, updates=3, latest=NOON),
            )
        },
    ),
    "alert-news": (
        "alerts/alert.html",
        frame("/alerts/n"),
        {
            "alert": page(
                whole=Whole("/alerts/s", HEADLINES[0], "ar"),
                signing=signing(phase="open", changed=True, network=True, handed=None),
            )
        },
    ),
    "alert-exercise": (
        "alerts/alert.html",
        frame("/alerts/b"),
        {
            "alert": page(
                card=card(0, status="exercise", state="expired", warnings=("fork", "frozen"), verified=False),
                bundle_path="",
                cap_path="",
                share=None,
            )
        },
    ),
    "alert-html": (
        "alerts/alert.html",
        frame("/alerts/c"),
        {
            "alert": page(
                card=card(1, state="closed", language="en", headline="Exercise text in English"),
                narrative="",
                content_html="<p>One <a href='https://drill0.example/'>two</a><p>نص عربي<ul><li>one</ul>",
                outcome="Released without charge (exercise).",
                demands=(),
                link_to_work="",
                verification_level="",
            )
        },
    ),
    "members": ("members/index.html", frame("/members", "members"), {"members": members()}),
    "members-empty": ("members/index.html", frame("/members", "members"), {"members": MemberList()}),
    "organisation": (
        "organisations/organisation.html",
        frame("/@drill0@drill0.example"),
        {"organisation": organisation()},
    ),
    "press": (
        "press/index.html",
        frame("/press", feeds=FEEDS),
        {"press": PressView("press@drill0.example", "ar", (card(0), card(1)), ("ar", "en"))},
    ),
    "press-plain": ("press/index.html", frame("/press"), {"press": PressView("+000 0 000 0000 (تدريب)", "ar")}),
    "follow": ("follow/index.html", frame("/@drill0/follow"), {"follow": FOLLOW}),
    "follow-links": (
        "follow/index.html",
        frame("/follow"),
        {
            "follow": replace(
                FOLLOW, said="@me@mastodon.example", host="mastodon.example", network="@alerts@drill0.example",
                dialogues=follow_links.dialogues("mastodon.example", "@drill0@drill0.example"),
            )
        },
    ),
    "follow-wrong": (
        "follow/index.html",
        frame("/follow"),
        {"follow": replace(FOLLOW, said="https://x", problem=True, warnings=("frozen",), declared=3)},
    ),
    "moderators": ("moderators/index.html", frame("/moderators"), {"moderators": MODERATORS}),
    "moderators-plain": (
        "moderators/index.html",
        frame("/moderators"),
        {"moderators": replace(MODERATORS, contact="", mail="", press=False, lately=0)},
    ),
    "letters": ("letters/index.html", frame("/alerts/a/letters"), {"letters": LetterList(card(0), (OFFICE,), ("لا",))}),
    "letters-none": ("letters/index.html", frame("/alerts/a/letters"), {"letters": LetterList(card(0), reason="x")}),
    "letter": ("letters/letter.html", frame("/alerts/a/letters/1/ar"), {"letter": LETTER}),
    "bundles": ("bundles/index.html", frame("/bundles"), {"bundle": BundleView()}),
    "bundles-done": (
        "bundles/index.html",
        frame("/bundles"),
        {"bundle": TAKEN},
    ),
    "join": ("join/index.html", frame("/join", "members"), {"door": DOOR}),
    "join-receipt": ("join/receipt.html", frame("/join", "members"), {"door": DOOR}),
    "join-answer": (
        "join/answer.html",
        frame("/join/answer", "members"),
        {"answer": DECLINED},
    ),
    "evidence": ("evidence/index.html", frame("/evidence", "members"), {"evidence": SeenList((SEEN,), 2)}),
    "evidence-empty": ("evidence/index.html", frame("/evidence", "members"), {"evidence": SeenList()}),
    "compare": (
        "charters/compare.html",
        frame("/charters/c/compare/x", "charters"),
        {"old": charter_card(), "new": charter_card(), "differences": DIFFERENCES},
    ),
    "later": ("errors/later.html", frame("/alerts"), {}),
    "groups": ("groups/index.html", frame("/groups", "groups"), {"groups": [GROUP.card]}),
    "groups-empty": ("groups/index.html", frame("/groups", "groups"), {"groups": []}),
    "group": ("groups/group.html", frame("/groups/women", "groups", feeds=FEEDS[:2]), {"group": GROUP}),
    "charters": ("charters/index.html", frame("/charters", "charters"), {"charters": (charter_card(),)}),
    "charters-empty": ("charters/index.html", frame("/charters", "charters"), {"charters": ()}),
    "charter": ("charters/charter.html", frame("/charters/c", "charters"), {"charter": charter_page()}),
    "missing": ("errors/missing.html", frame("/alerts/x"), {}),
    "not-acceptable": ("errors/not_acceptable.html", frame("/alerts/x"), {}),
    "failure": ("errors/failure.html", Frame("", "", "/"), {}),
    "request": (
        "requests/index.html",
        frame("/request"),
        {"asked": RequestView(problem=422, fields=("what",)), "channels": "Signal +999 000 (exercise)"},
    ),
    "request-closed": ("requests/index.html", frame("/request"), {"asked": RequestView(open=False), "channels": ""}),
    "receipt": (
        "requests/receipt.html",
        frame("/request"),
        {"asked": RequestView(number="0123 4567 8901 2345", imminent=True), "channels": ""},
    ),
    "answer": (
        "requests/answer.html",
        frame("/request/answer"),
        {
            "thread": ThreadView(opened=True, answers=((TOLD, "تدريب: سطر أول\nEXERCISE, second line"),), added=True),
            "channels": "",
        },
    ),
}
