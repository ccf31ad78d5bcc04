"""Which part of the world a country lies in: the United Nations' sub-regions, by number; facts, and nothing else.

Taiwan, which the standard does not list, stands with Eastern Asia. The country of exercises (`XX`) lies nowhere. Names
of regions come from CLDR, as those of countries do. `PLACES` puts each on a coarse grid (column, row), north up: a
drawing without borders, on which nothing is disputed.

Spec: UN M49
"""

from collections.abc import Mapping
from types import MappingProxyType

_ROWS = """
015 DZ EG EH LY MA SD TN
011 BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG
017 AO CD CF CG CM GA GQ ST TD
014 BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW
018 BW LS NA SZ ZA
021 BM CA GL PM US
013 BZ CR GT HN MX NI PA SV
029 AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI
005 AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE
143 KG KZ TJ TM UZ
030 CN HK JP KP KR MN MO TW
034 AF BD BT IN IR LK MV NP PK
035 BN ID KH LA MM MY PH SG TH TL VN
145 AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE
151 BG BY CZ HU MD PL RO RU SK UA
154 AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ
039 AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA
155 AT BE CH DE FR LI LU MC NL
053 AU CC CX HM NF NZ
054 FJ NC PG SB VU
057 FM GU KI MH MP NR PW UM
061 AS CK NU PF PN TK TO TV WF WS
"""
REGIONS: Mapping[str, str] = MappingProxyType(
    {country: row.split()[0] for row in _ROWS.strip().splitlines() for country in row.split()[1:]}
)
"""Country (ISO 3166-1 alpha-2) → sub-region (M49)."""
PLACES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "021": (0, 0), "154": (3, 0), "151": (5, 0), "143": (6, 0),
        "013": (0, 1), "155": (3, 1), "039": (4, 1), "145": (5, 1), "034": (6, 1), "030": (7, 1),
        "029": (1, 1), "011": (3, 2), "015": (4, 2), "014": (5, 2), "035": (7, 2), "057": (8, 2),
        "005": (1, 2), "017": (4, 3), "054": (8, 3), "061": (9, 3), "018": (4, 4), "053": (8, 4),
    }
)  # fmt: skip


def region_of(country: str) -> str:
    """The sub-region of a country; empty where nobody says, or of the country of exercises."""
    return REGIONS.get(country, "")
