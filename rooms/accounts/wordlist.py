"""The words of code cards: short, common, friendly, and hard to mistake for one another.

In each list the first four letters of a word are its own, so typing them is enough, and any two words
differ by at least two slips of the finger (a letter more, less, other, or two swapped), so that one slip
never turns a word into another. Written for this project; changing or removing a word breaks the cards
in pupils' hands, adding one does not.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ADJECTIVES", "ANIMALS", "WORDS"]

ADJECTIVES: Final = tuple(
    """
    able active agile alert ample artful awake balmy bold bouncy brave breezy bright brisk bubbly busy
    calm candid caring cheery clever comic cosy crafty curious dapper deft devoted direct dreamy eager
    early earnest elegant epic exact expert fair faithful famous fancy fearless fine fluent fluffy
    fond frank free fresh friendly frosty funny gentle gifted giggly glad gleaming glowing golden good
    graceful grand great green happy hardy hearty helpful heroic honest hopeful humble ideal jazzy jolly
    jovial joyful keen kind leafy level lively logical loyal lucky lunar magic mellow merry mighty mild
    modern musical neat nifty nimble noble novel orderly patient peaceful perky placid playful polite
    precise proud quick quiet radiant rapid ready ruby rustic serene sharp shiny silent silver sincere
    skilful smart smiling snappy sociable solar solid speedy spirited splendid spry steady stellar strong
    sturdy subtle super sweet swift tactful thankful thrifty tidy tireless tough tranquil trusty
    truthful upbeat useful valiant velvet vibrant vivid warm watchful whole willing winning wise witty
    wonder woolly worthy young zany zealous zesty
    """.split()  # noqa: SIM905 (a list literal would be 1,400 lines)
)
"""With an animal, what a card calls its pupil. None may hurt with any animal."""

ANIMALS: Final = tuple(
    """
    albatross alpaca antelope armadillo badger beaver bee beetle bison blackbird bluebird buffalo
    bumblebee bunny butterfly canary capybara caribou cat chaffinch chamois chipmunk corgi crane cricket
    curlew deer dingo dolphin dove dragonfly duck eagle egret elk emu falcon ferret finch firefly flamingo
    foal fox frog gazelle gecko gerbil giraffe gopher grouse hamster hare hawk hedgehog heron hoopoe horse
    ibex ibis iguana impala jackdaw jay kangaroo kestrel kitten kiwi koala ladybird lark lemur leopard
    linnet lion lizard llama lynx macaw magpie mallard manatee marmot marten meerkat mongoose narwhal
    ocelot octopus orca oriole osprey ostrich otter owl panda panther parrot partridge peacock pelican
    penguin petrel pheasant pigeon platypus plover pony porcupine porpoise puffin puma puppy quail rabbit
    raccoon raven reindeer robin sailfish salmon sandpiper seahorse seal skylark spaniel sparrow starfish
    stork swallow swan swift tapir tern terrier thrush tiger tortoise toucan trout turtle wallaby warbler
    wolf wombat wren yak zebra
    """.split()  # noqa: SIM905 (a list literal would be 1,400 lines)
)

WORDS: Final = tuple(
    """
    accent acorn across adapt address adjust admire advance advice aerial again agile agree ahead airport
    ajar alarm album alert algebra alike alley allow almond alpha alpine amaze amber amigo amuse anagram
    anchor ancient android animal ankle annual answer antenna anvil apart appear apple april apron aqua
    arcade arch arctic arena aroma arrive arrow artist ascend aside asleep aspen assist athlete atlas atom
    attach attend attic audio august aunt aurora author autumn avenue avocado awake award awesome axis
    axle azure baby badge bagel baggage baker balance ballet bamboo banana banner barley barn basil basket
    bath baton batter bazaar beach beam beanie bedtime beehive beetle begin behind beige believe belt
    berry beside beyond bicycle biology birch biscuit bison blade blanket blend blink blossom blouse blue
    bluff board boat bonfire bonus book boost borrow botany bottle bouquet bowl boxer branch brave bread
    breeze brick bridge bright bring bronze broom brother brown brush bubble bucket buddy budget buggy
    bugle builder bulb bulldog bumper bundle bunny burger burst busy butler button buzzer cabaret cabbage
    cabin cable cactus cadet cake calm camera campus canal candle canoe canvas canyon capital capsule
    captain caravan cargo carol carpet carrot cartoon castle catalog cedar ceiling celery center cereal
    chair chalk change chapter charm chat cheese chef chemist cherry chess chicken chili chimney choose
    chorus cinema circle citrus city clean clever cliff climb clock clog close cloth cloud club cluster
    cobalt cobble coconut code collect colour comb comet comic common compass concert contest cookie
    copper copy coral cork cosmos costume cotton couch count courage cover crab cradle crane crater crayon
    cream creek crepe crew cricket crisp crowd cruise crumb crust crystal cube curious curry curtain curve
    cushion dairy dance dawn decor deep degree deliver delta depth design detail detect diagram dial
    diamond digit dinner direct dish diver doctor doll dolphin dome domino donut door double dough dozen
    dragon drama drawer dress drink drizzle drum dune eager eagle early earring earth easel east echo
    eclipse editor eight elastic elbow elder element eleven emerald emoji employ empty enamel energy
    engine enjoy enough entire equator eraser essay eternal evening every exam excite exit expand expert
    express extra eyebrow eyelash fabric face factory fair faith falcon family famous fancy fantasy farmer
    fashion feather fence fern ferret fiber fiddle field fifteen figure film filter find finger finish
    firefly first five flag flame flash flight flip float floor flora flute foam focus folder folk follow
    food forest formula forty forum fossil foxtrot freckle fresh friend frisbee frog frost frozen fruit
    fudge future fuzzy gadget galaxy gallery game garage garden garlic gecko gentle giant gift giggle
    giraffe glacier glad glance glass gleam glitter globe goal goblet goggles gold goose grand grape
    gravity gray great green grid grill groove group grow guess guide guitar gumdrop guppy gymnast hall
    hammer hamster handy happy harbour harmony harp harvest hawk hazel heart hedge helmet helper herb
    heron hexagon hiccup hickory high hike hiking hint hippo history hobby hockey holiday honey hoop hope
    horizon horn host hotel hour house human hundred hurdle hush iceberg icicle idea igloo iguana imagine
    inch indigo insect inside invite iron island ivory jacket january jasmine jazz jeans jelly jersey
    jewel jigsaw jingle jogger join joke journal juggle juice july jump junior jupiter kale kayak kebab
    keeper ketchup kettle kick kilo king kiosk kitchen kite kiwi knee knit know koala ladder ladle ladybug
    lamp land lantern laptop large lasagne laugh laundry lava leader leaf league learn left lemon lens
    leopard lesson letter level library lilac lily lime limit lion listen litre little lizard llama
    lobster local locket long lookout lorry lotus lovely lucky luggage lullaby lunar lunch machine magic
    magnet magpie mailbox mango maple marble market marvel mask master match maths mayfly meadow measure
    medal meeting melody memory menu mermaid message mighty milk minute miracle mirror mist mitten mixer
    mobile model moment monitor monkey month moon morning mosaic moss mother motor movie muesli muffin
    museum music mustang nail napkin nature nearby needle nephew nest network nibble nice noble noise
    noodle normal north notice novel number nurse nutmeg oatmeal ocean octagon october office often okay
    olive olympic onion opal open orange orbit orchard organ orient ostrich otter outdoor outline outside
    owner oyster pacific pack paddle page painter palace pancake panda panel panther paper parade parcel
    party pass pasta pattern pause peace peak peanut pearl pebble pelican pencil penguin people pepper
    perch perfume petal phone photo piano pickle picnic picture piece pier pigeon pillow pilot pine
    pioneer pirate pitcher pizza planet plate play plaza please plum poem point polar polite polka pond
    popcorn poppy poster potato pottery powder prairie present pretzel preview prince prism prize project
    promise proper proud provide public pudding puff pulley pumpkin puppet purple puzzle pyramid quarter
    queen quick quiet quill quiz quote rabbit raccoon radar radio raft railway rainbow raisin rapid raven
    ready real recipe record recycle reed refresh relax reptile rescue result return rhubarb ribbon rich
    ride ringlet ripple road robin robot rock roof rooster rose round rowing ruby ruler runner safari safe
    saffron sailor salad salmon salt sandal sardine satchel saturn sauce sauna scale scarf scene school
    science scooter score scout scrap screen script scroll seafood seagull search season seat secret
    selfie send seven shadow shallow shampoo shape shawl sheep shelf sherbet shine ship shirt shoe shovel
    shower shrimp shrub shuffle shut signal silent silver simple sister sixty size skate sketch skyline
    slice slipper slow small smart smile smooth snack sneaker sneeze snooze snug soap soccer social sofa
    soil south space spark spatula special spell spinach spiral splash sponge spoon sport spray spread
    spring square squid stadium stage stair stamp stand station stay steam steel stencil step sticker
    stone story straw street strong student style subject subway succeed sugar summer sunday sunset surf
    sushi swan sweater sweet swift swim swing switch syrup tablet tadpole talk tape target taste taxi
    teacher teapot teddy tell temple tennis tent thanks theatre thick thin thirty thread throne thumb
    thunder ticket tiger tile timber tinker tiny tiptoe tissue toast today token tomato tongue tool tooth
    toucan tower town tractor trade traffic train travel tree trophy trout truck trumpet truth tuesday
    tugboat tulip tunnel turkey turn turtle twelve twenty twig twist unfold unicorn uniform unite unlock
    until uphill upward useful vanilla vapour vase velvet victory video view village violet visitor
    vitamin vivid voice volcano voyage waffle wagon waiter wallaby walnut walrus want warm wash wave
    weekend welcome whale wheat wheel whirl white window wink winter wisdom wolf wonder word workout woven
    wrap yard year yellow yoga yogurt young zebra zero zigzag zipper zoom
    """.split()  # noqa: SIM905 (a list literal would be 1,400 lines)
)
"""The three secret words are drawn from these."""
