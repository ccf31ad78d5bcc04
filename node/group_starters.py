"""Working groups to begin with: the six themes under which networks for economic, social and cultural rights work.

Data. The names are the themes' own; in four languages, so that each member reads its own.
"""

from collections.abc import Mapping
from types import MappingProxyType

STARTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "women": {
            "ar": "المرأة والحقوق الاقتصادية والاجتماعية والثقافية",
            "en": "Women and economic, social and cultural rights",
            "es": "Mujeres y derechos económicos, sociales y culturales",
            "fr": "Femmes et droits économiques, sociaux et culturels",
        },
        "corporate": {
            "ar": "مساءلة الشركات",
            "en": "Corporate accountability",
            "es": "Rendición de cuentas de las empresas",
            "fr": "Responsabilité des entreprises",
        },
        "litigation": {
            "ar": "التقاضي الاستراتيجي",
            "en": "Strategic litigation",
            "es": "Litigio estratégico",
            "fr": "Contentieux stratégique",
        },
        "economy": {
            "ar": "السياسة الاقتصادية",
            "en": "Economic policy",
            "es": "Política económica",
            "fr": "Politique économique",
        },
        "monitoring": {
            "ar": "رصد الحقوق الاقتصادية والاجتماعية والثقافية",
            "en": "Monitoring economic, social and cultural rights",
            "es": "Monitoreo de los derechos económicos, sociales y culturales",
            "fr": "Suivi des droits économiques, sociaux et culturels",
        },
        "movements": {
            "ar": "الحركات الاجتماعية",
            "en": "Social movements",
            "es": "Movimientos sociales",
            "fr": "Mouvements sociaux",
        },
    }
)
"""Handle → language → name."""
