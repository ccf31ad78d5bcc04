"""1024 short English words for comparing an identity by voice: the n-th word says ten bits.

Data, made for this project: words that a person with some English can say and write down, no two of them
one letter apart, no two with the same four first letters, nothing that hurts in a call about somebody's
safety. The order is part of what two people compare: a change here changes what every node reads out.
"""

_TEXT = """
above acorn adult agent agree album alley almanac almond alone alpha always amber amount anchor animal ankle
answer antenna apple april apron aquarium arch arena arrow artist aspect atlas atom attic august aunt author
autumn avenue awake award baby backpack badge baker balcony ball bamboo banana band banner barber bargain
barley basket bath battery beach beam beauty beaver become bedroom beef beehive beetle begin believe belong
belt berry beside better bicycle big birch bird birthday biscuit black blanket blossom bluebell board body
boil bonus book borrow bottle bounce box bracket brain branch brave bread breeze brick bridge bright
broccoli bronze broom brother brown bubble bucket budget buffalo build bulb bundle burger bush button buyer
cabbage cabin cactus cake calendar calm camera canal candy canoe canvas canyon captain caramel carbon card
careful carpet carrot cartoon carve cashew castle catalog cedar ceiling celery cellar cement cereal chair
chalk champion chance chapter cheap cheese chef cherry chess chicken child chimney choice chorus cinema
cinnamon circle citizen city clap classic clean clerk clever client cliff climb clinic clock cloth club
coach coast cobalt coconut coffee coin cold college color column comet comfort common compass concert copper
copy coral corner corridor cosmos costume cotton country couple courage cousin cover cowboy cradle cream
credit cricket crowd crumb crystal cuckoo cucumber culture cumin cup cupboard curious curtain cushion custom
cycle cymbal daily dance date daughter dawn daylight debate deck deer deliver delta dentist depth desert
design detail develop diagram diamond diary diesel dinner direct discover dish dive doctor dolphin domain
donkey door double dough dozen dragon drama drawer dress drift drink drum duet early earth easel easily east
echo eclipse edge editor effort egg eggplant elbow electric elegant elephant eleven elm embrace emerald
energy engine enjoy enter envelope equal estate evening every exact example excite exercise expert explain
express extra eyebrow fabric face factory falcon family famous fancy fashion father favor february fellow
fence fennel festival fiber fiddle field fifteen figure film final finger finish firefly first flag flamingo
fleet float floor fluid flute focus folder food football forest fork fortune forward fossil fountain
fragrant frame freedom fresh friday friend frog fruit fuel funny future gain galaxy gallop game garage
garden garlic gasoline gazelle gentle genuine geometry gift giraffe glad glass globe glory glue goat
goldfish golf goose grace graduate grammar grand gravity great grid grocery group grow guava guest guide
guitar habit half hammer handle happy harbor harp harvest hat hawk hazel head health hedgehog height helmet
help heritage hero highway hill hint hippo history hobby hockey holiday hollow home honey horizon horn horse
hospital host hotel human humble hundred hurry husband iceberg idea igloo image impress inch include income
index indigo inform inn input insect inside inventor invite iris iron island item ivory ivy jacket jaguar
january jar jasmine jazz jeans jelly jewel jigsaw joke journey joy juice july jumbo jump june jungle junior
kangaroo kayak keen kettle keyboard keyhole kind kitchen kitten kiwi koala ladder lagoon language lantern
laptop large laugh laundry lava lavender leaf league leather lecture legend lemon lend lentil leopard lesson
level library license life light lilac lily linen lipstick liquid list lizard lobster local lodge logic long
loop lotus loud love lucky lullaby lumber lunar lunch luxury lyrics macaroni machine magazine magic major
mandarin mango marble margin market marriage mask master match mattress meadow meal measure medium meeting
melon member memory mention menu message method midnight milk million mineral minor minute mirror mixture
mobile model moment monday month monument moon morning mosaic mosquito moss motor mouse muffin mule muscle
museum mushroom music mustard mystery napkin nation nature navy nearby nectar needle neighbor nephew network
neutral nice nickel noodle normal north nose notebook novel nurse nutmeg oak oasis object observe october
offer office often omelet onion online open opera opinion opposite orbit orchard order organ origin ostrich
other outdoor outside oval overcoat oxygen oyster package paddle page paint pancake panda panel paper
paprika parade parcel parent park party pass pasture pattern pavement peacock peanut pebble pedal pelican
pencil pendulum penguin people pepper perfect permit person pharmacy photo phrase piano pickle picnic
picture pigeon pillow pilot pine pioneer pizza place planet plastic platform play pleasant plenty plum
pocket poem polar polite pomelo pond popcorn popular portrait position postcard potato pottery powder
practice prairie present pretty printer prize problem produce profit promise proud pudding pulse pumpkin
pupil puppet purple puzzle pyramid quality quartz question quick quiet quiz quote rabbit radio railway
raincoat raisin range rapid razor reader reason rebuild receipt recipe record recycle reflect refresh
reindeer relax remember remote repair repeat report rescue respect restore return reward rhythm ribbon ring
ripple river road robin robot romance roof rooster rosemary rubber ruby rug ruler runner rural safari
saffron sailor salad salt salute sample sandwich sapphire sardine satin saturday save scale scarf school
science scissors scooter score scout screen sculptor seashell second section seed select senior sentence
series service sesame seven shade shallow sheep shelf shepherd shine ship shirt shoulder shower shrimp
sibling sidewalk signal silent silver sister sixteen size sketch skill sky slice slim slow small smart smile
smooth snack snail snowman soap social soft solid solution soybean special speech sphere spinach spiral
splash spoon sport spring square squirrel stable stadium staff stage stairway stamp star station steady step
stereo stone story stream strong studio style subject subway success sugar suit summer sunday sunrise
sunshine supper surface surprise swan sweater swing symbol syrup system tadpole talent talk tape target
taste teacher tennis tent texture thank theater theme thermos thick thimble thing thirty thread thunder
thursday ticket tidy tiger timber tissue title today toddler together tomato tomorrow tongue tonight tool
topic tortoise total toucan tourist towel town track trade traffic travel treasure tree triangle tribe trim
tropical trumpet trust tuesday tulip tuna tunnel turkey turnip turtle twelve twenty umbrella uncle universe
upstairs urban useful vaccine vacuum value vanilla vase vehicle velvet vendor veranda version vessel video
view village vinegar violet visit vitamin vivid voice volcano volume voyage wagon waiter wallet walnut warm
wash wax wedding weekend welcome whale wheat wheel whisper white wild window wisdom wise woman word worker
worthy wrist yacht year yogurt young zebra zigzag zone zucchini
"""
WORDS: tuple[str, ...] = tuple(_TEXT.split())
