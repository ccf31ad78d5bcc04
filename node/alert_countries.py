"""Countries of an alert: ISO 3166-1 codes and the two names this software writes by itself.

A public alert names a country and no smaller place. `XX` (alpha-3 `XXX`, left to users by the standard) is
the country of exercises: no drill text has to borrow a real one. Names are the short ones in common use; a
page in another language takes its names from elsewhere.

Spec: ISO 3166-1
"""

from dataclasses import dataclass
from types import MappingProxyType

EXERCISE_COUNTRY = "XX"
_ROWS = """
XX XXX Exercise country | بلد تدريبي
AD AND Andorra | أندورا
AE ARE United Arab Emirates | الإمارات العربية المتحدة
AF AFG Afghanistan | أفغانستان
AG ATG Antigua and Barbuda | أنتيغوا وبربودا
AI AIA Anguilla | أنغويلا
AL ALB Albania | ألبانيا
AM ARM Armenia | أرمينيا
AO AGO Angola | أنغولا
AQ ATA Antarctica | أنتاركتيكا
AR ARG Argentina | الأرجنتين
AS ASM American Samoa | ساموا الأمريكية
AT AUT Austria | النمسا
AU AUS Australia | أستراليا
AW ABW Aruba | أروبا
AX ALA Åland Islands | جزر آلاند
AZ AZE Azerbaijan | أذربيجان
BA BIH Bosnia and Herzegovina | البوسنة والهرسك
BB BRB Barbados | بربادوس
BD BGD Bangladesh | بنغلاديش
BE BEL Belgium | بلجيكا
BF BFA Burkina Faso | بوركينا فاسو
BG BGR Bulgaria | بلغاريا
BH BHR Bahrain | البحرين
BI BDI Burundi | بوروندي
BJ BEN Benin | بنين
BL BLM St. Barthélemy | سان بارتليمي
BM BMU Bermuda | برمودا
BN BRN Brunei | بروناي
BO BOL Bolivia | بوليفيا
BQ BES Caribbean Netherlands | هولندا الكاريبية
BR BRA Brazil | البرازيل
BS BHS Bahamas | جزر البهاما
BT BTN Bhutan | بوتان
BV BVT Bouvet Island | جزيرة بوفيه
BW BWA Botswana | بوتسوانا
BY BLR Belarus | بيلاروس
BZ BLZ Belize | بليز
CA CAN Canada | كندا
CC CCK Cocos (Keeling) Islands | جزر كوكوس (كيلينغ)
CD COD Democratic Republic of the Congo | جمهورية الكونغو الديمقراطية
CF CAF Central African Republic | جمهورية أفريقيا الوسطى
CG COG Congo | الكونغو
CH CHE Switzerland | سويسرا
CI CIV Côte d'Ivoire | كوت ديفوار
CK COK Cook Islands | جزر كوك
CL CHL Chile | تشيلي
CM CMR Cameroon | الكاميرون
CN CHN China | الصين
CO COL Colombia | كولومبيا
CR CRI Costa Rica | كوستاريكا
CU CUB Cuba | كوبا
CV CPV Cape Verde | الرأس الأخضر
CW CUW Curaçao | كوراساو
CX CXR Christmas Island | جزيرة كريسماس
CY CYP Cyprus | قبرص
CZ CZE Czechia | التشيك
DE DEU Germany | ألمانيا
DJ DJI Djibouti | جيبوتي
DK DNK Denmark | الدانمرك
DM DMA Dominica | دومينيكا
DO DOM Dominican Republic | جمهورية الدومينيكان
DZ DZA Algeria | الجزائر
EC ECU Ecuador | الإكوادور
EE EST Estonia | إستونيا
EG EGY Egypt | مصر
EH ESH Western Sahara | الصحراء الغربية
ER ERI Eritrea | إريتريا
ES ESP Spain | إسبانيا
ET ETH Ethiopia | إثيوبيا
FI FIN Finland | فنلندا
FJ FJI Fiji | فيجي
FK FLK Falkland Islands (Malvinas) | جزر فوكلاند (مالفيناس)
FM FSM Micronesia | ميكرونيزيا
FO FRO Faroe Islands | جزر فارو
FR FRA France | فرنسا
GA GAB Gabon | الغابون
GB GBR United Kingdom | المملكة المتحدة
GD GRD Grenada | غرينادا
GE GEO Georgia | جورجيا
GF GUF French Guiana | غويانا الفرنسية
GG GGY Guernsey | غيرنزي
GH GHA Ghana | غانا
GI GIB Gibraltar | جبل طارق
GL GRL Greenland | غرينلاند
GM GMB Gambia | غامبيا
GN GIN Guinea | غينيا
GP GLP Guadeloupe | غوادلوب
GQ GNQ Equatorial Guinea | غينيا الاستوائية
GR GRC Greece | اليونان
GS SGS South Georgia and South Sandwich Islands | جورجيا الجنوبية وجزر ساندويتش الجنوبية
GT GTM Guatemala | غواتيمالا
GU GUM Guam | غوام
GW GNB Guinea-Bissau | غينيا بيساو
GY GUY Guyana | غيانا
HK HKG Hong Kong | هونغ كونغ
HM HMD Heard and McDonald Islands | جزيرة هيرد وجزر ماكدونالد
HN HND Honduras | هندوراس
HR HRV Croatia | كرواتيا
HT HTI Haiti | هايتي
HU HUN Hungary | هنغاريا
ID IDN Indonesia | إندونيسيا
IE IRL Ireland | أيرلندا
IL ISR Israel | إسرائيل
IM IMN Isle of Man | جزيرة مان
IN IND India | الهند
IO IOT British Indian Ocean Territory | الإقليم البريطاني في المحيط الهندي
IQ IRQ Iraq | العراق
IR IRN Iran | إيران
IS ISL Iceland | آيسلندا
IT ITA Italy | إيطاليا
JE JEY Jersey | جيرسي
JM JAM Jamaica | جامايكا
JO JOR Jordan | الأردن
JP JPN Japan | اليابان
KE KEN Kenya | كينيا
KG KGZ Kyrgyzstan | قيرغيزستان
KH KHM Cambodia | كمبوديا
KI KIR Kiribati | كيريباتي
KM COM Comoros | جزر القمر
KN KNA St. Kitts and Nevis | سانت كيتس ونيفيس
KP PRK North Korea | كوريا الشمالية
KR KOR South Korea | كوريا الجنوبية
KW KWT Kuwait | الكويت
KY CYM Cayman Islands | جزر كايمان
KZ KAZ Kazakhstan | كازاخستان
LA LAO Laos | لاوس
LB LBN Lebanon | لبنان
LC LCA St. Lucia | سانت لوسيا
LI LIE Liechtenstein | ليختنشتاين
LK LKA Sri Lanka | سريلانكا
LR LBR Liberia | ليبيريا
LS LSO Lesotho | ليسوتو
LT LTU Lithuania | ليتوانيا
LU LUX Luxembourg | لوكسمبورغ
LV LVA Latvia | لاتفيا
LY LBY Libya | ليبيا
MA MAR Morocco | المغرب
MC MCO Monaco | موناكو
MD MDA Moldova | مولدوفا
ME MNE Montenegro | الجبل الأسود
MF MAF St. Martin | سان مارتن
MG MDG Madagascar | مدغشقر
MH MHL Marshall Islands | جزر مارشال
MK MKD North Macedonia | مقدونيا الشمالية
ML MLI Mali | مالي
MM MMR Myanmar | ميانمار
MN MNG Mongolia | منغوليا
MO MAC Macao | ماكاو
MP MNP Northern Mariana Islands | جزر ماريانا الشمالية
MQ MTQ Martinique | مارتينيك
MR MRT Mauritania | موريتانيا
MS MSR Montserrat | مونتسرات
MT MLT Malta | مالطا
MU MUS Mauritius | موريشيوس
MV MDV Maldives | المالديف
MW MWI Malawi | ملاوي
MX MEX Mexico | المكسيك
MY MYS Malaysia | ماليزيا
MZ MOZ Mozambique | موزمبيق
NA NAM Namibia | ناميبيا
NC NCL New Caledonia | كاليدونيا الجديدة
NE NER Niger | النيجر
NF NFK Norfolk Island | جزيرة نورفولك
NG NGA Nigeria | نيجيريا
NI NIC Nicaragua | نيكاراغوا
NL NLD Netherlands | هولندا
NO NOR Norway | النرويج
NP NPL Nepal | نيبال
NR NRU Nauru | ناورو
NU NIU Niue | نيوي
NZ NZL New Zealand | نيوزيلندا
OM OMN Oman | عُمان
PA PAN Panama | بنما
PE PER Peru | بيرو
PF PYF French Polynesia | بولينيزيا الفرنسية
PG PNG Papua New Guinea | بابوا غينيا الجديدة
PH PHL Philippines | الفلبين
PK PAK Pakistan | باكستان
PL POL Poland | بولندا
PM SPM St. Pierre and Miquelon | سان بيير ومكويلون
PN PCN Pitcairn Islands | جزر بيتكيرن
PR PRI Puerto Rico | بورتوريكو
PS PSE Palestine | فلسطين
PT PRT Portugal | البرتغال
PW PLW Palau | بالاو
PY PRY Paraguay | باراغواي
QA QAT Qatar | قطر
RE REU Réunion | ريونيون
RO ROU Romania | رومانيا
RS SRB Serbia | صربيا
RU RUS Russia | روسيا
RW RWA Rwanda | رواندا
SA SAU Saudi Arabia | المملكة العربية السعودية
SB SLB Solomon Islands | جزر سليمان
SC SYC Seychelles | سيشل
SD SDN Sudan | السودان
SE SWE Sweden | السويد
SG SGP Singapore | سنغافورة
SH SHN St. Helena | سانت هيلينا
SI SVN Slovenia | سلوفينيا
SJ SJM Svalbard and Jan Mayen | سفالبارد وجان ماين
SK SVK Slovakia | سلوفاكيا
SL SLE Sierra Leone | سيراليون
SM SMR San Marino | سان مارينو
SN SEN Senegal | السنغال
SO SOM Somalia | الصومال
SR SUR Suriname | سورينام
SS SSD South Sudan | جنوب السودان
ST STP São Tomé and Príncipe | ساو تومي وبرينسيبي
SV SLV El Salvador | السلفادور
SX SXM Sint Maarten | سانت مارتن
SY SYR Syria | سوريا
SZ SWZ Eswatini | إسواتيني
TC TCA Turks and Caicos Islands | جزر توركس وكايكوس
TD TCD Chad | تشاد
TF ATF French Southern Territories | الأقاليم الجنوبية الفرنسية
TG TGO Togo | توغو
TH THA Thailand | تايلاند
TJ TJK Tajikistan | طاجيكستان
TK TKL Tokelau | توكيلاو
TL TLS Timor-Leste | تيمور الشرقية
TM TKM Turkmenistan | تركمانستان
TN TUN Tunisia | تونس
TO TON Tonga | تونغا
TR TUR Türkiye | تركيا
TT TTO Trinidad and Tobago | ترينيداد وتوباغو
TV TUV Tuvalu | توفالو
TW TWN Taiwan | تايوان
TZ TZA Tanzania | تنزانيا
UA UKR Ukraine | أوكرانيا
UG UGA Uganda | أوغندا
UM UMI U.S. Outlying Islands | جزر الولايات المتحدة النائية
US USA United States | الولايات المتحدة
UY URY Uruguay | أورغواي
UZ UZB Uzbekistan | أوزبكستان
VA VAT Vatican City | الفاتيكان
VC VCT St. Vincent and Grenadines | سانت فنسنت وجزر غرينادين
VE VEN Venezuela | فنزويلا
VG VGB British Virgin Islands | جزر فيرجن البريطانية
VI VIR U.S. Virgin Islands | جزر فيرجن الأمريكية
VN VNM Vietnam | فيتنام
VU VUT Vanuatu | فانواتو
WF WLF Wallis and Futuna | جزر والس وفوتونا
WS WSM Samoa | ساموا
YE YEM Yemen | اليمن
YT MYT Mayotte | مايوت
ZA ZAF South Africa | جنوب أفريقيا
ZM ZMB Zambia | زامبيا
ZW ZWE Zimbabwe | زيمبابوي
"""


@dataclass(frozen=True, slots=True)
class Country:
    """One country, in its two codes and two names."""

    alpha2: str
    alpha3: str
    english: str
    arabic: str

    def name(self, language: str) -> str:
        """Its name in Arabic or, for every other language, in English."""
        return self.arabic if language == "ar" else self.english


def _row(line: str) -> Country:
    codes, _, arabic = line.partition(" | ")
    alpha2, alpha3, english = codes.split(" ", 2)
    return Country(alpha2, alpha3, english, arabic)


COUNTRIES = MappingProxyType({row.alpha2: row for row in map(_row, _ROWS.strip().splitlines())})
"""By alpha-2 code."""
