/** What the simulated store sells: departments → categories → kinds, with their pictures, prices, words and companions. */
import type { PaletteName } from './palettes';
import type { ShapeName } from './pictures';

/** When a kind sells best; `all` where the season does not matter. */
export type Season = 'all' | 'spring' | 'summer' | 'autumn' | 'winter';

/** A kind of product: the leaf of the category tree. */
export interface Kind {
  /** Short name, unique, that of its picture; other kinds refer to it in `goesWith`. */
  readonly name: ShapeName;
  readonly department: string;
  readonly category: string;
  /** Heading of the kind's page, in the plural: "Table runners". */
  readonly label: string;
  /** Noun of a product title: "table runner". */
  readonly noun: string;
  readonly palette: PaletteName;
  /** Usual lowest and highest price in euros, before the brand's price level. */
  readonly price: readonly [low: number, high: number];
  /** First words of titles: materials and makes. */
  readonly makes: readonly string[];
  /** Kinds that are bought together with this one. */
  readonly goesWith: readonly string[];
  readonly season: Season;
}

// Below a category: name, label, palette, prices, makes, what it goes with, season, and the noun where it is not the name.
const ROWS = `
# Clothing > Tops
t-shirt | T-shirts | textile | 14-34 | Cotton, Organic cotton, Slub, Striped, Pocket | trousers shorts | summer | T-shirt
shirt | Shirts | textile | 32-79 | Linen, Oxford, Flannel, Poplin, Chambray | trousers socks | all
jumper | Jumpers | textile | 39-110 | Lambswool, Merino, Cable-knit, Cotton-knit, Ribbed | shirt scarf | winter
# Clothing > Bottoms
trousers | Trousers | textile | 39-95 | Twill, Corduroy, Linen, Wool-blend, Canvas | shirt socks | all
shorts | Shorts | textile | 24-55 | Seersucker, Twill, Jersey, Linen | t-shirt sun-hat | summer
skirt | Skirts | textile | 29-75 | Pleated, Denim, Wrap, A-line, Linen | t-shirt jumper | all
# Clothing > Coats and shoes
raincoat | Raincoats | textile | 69-180 | Waxed, Light, Hooded, Sailing, Packable | boots umbrella | spring
trainers | Trainers | textile | 49-130 | Canvas, Suede, Running, Court, Mesh | socks shorts | all
boots | Boots | leather | 79-190 | Leather, Chelsea, Walking, Lace-up | socks raincoat | autumn
# Clothing > Accessories
scarf | Scarves | textile | 19-65 | Merino, Mohair, Checked, Cotton, Silk-blend | beanie mittens | winter
beanie | Beanies | textile | 14-35 | Ribbed, Bobble, Merino, Fisherman | scarf mittens | winter
sun-hat | Sun hats | natural | 18-45 | Straw, Cotton, Wide-brim, Raffia | tote-bag shorts | summer
socks | Socks | textile | 6-18 | Cotton, Walking, Bed, Ribbed, Alpaca | boots trainers | all
mittens | Mittens | textile | 14-38 | Felted, Knitted, Fleece, Sheepskin | beanie scarf | winter
# Home > Lighting
table-lamp | Table lamps | ceramic | 35-120 | Ceramic, Linen-shade, Pleated, Stoneware | side-table picture-frame | all
floor-lamp | Floor lamps | metal | 79-240 | Tripod, Arc, Reading, Brass | armchair rug | all
pendant-light | Pendant lights | metal | 45-160 | Enamel, Dome, Spun-metal, Workshop | table-lamp wall-clock | all
# Home > Soft furnishings
cushion | Cushions | textile | 16-48 | Velvet, Linen, Tufted, Corduroy, Embroidered | throw armchair | all
throw | Throws | textile | 35-110 | Wool, Waffle, Herringbone, Cotton, Mohair | cushion armchair | autumn
rug | Rugs | textile | 59-290 | Flat-weave, Wool, Jute, Berber, Cotton | floor-lamp cushion | all
# Home > Decoration
vase | Vases | ceramic | 15-70 | Stoneware, Bud, Fluted, Glazed, Bottle | candle table-runner | all
candle | Candles | bright | 9-38 | Beeswax, Fig, Pillar, Cedar, Soy | vase soap | winter
picture-frame | Picture frames | wood | 10-45 | Oak, Slim, Gallery, Box, Walnut | wall-clock table-lamp | all
wall-clock | Wall clocks | metal | 25-90 | Station, Kitchen, Minimal, School | picture-frame shelf | all
mirror | Mirrors | wood | 39-170 | Round, Arched, Bevelled, Oak | side-table wall-clock | all
# Home > Small furniture
armchair | Armchairs | textile | 190-520 | Wingback, Boucle, Reading, Velvet | cushion floor-lamp | all
stool | Stools | wood | 35-120 | Milking, Oak, Counter, Ash | side-table cushion | all
side-table | Side tables | wood | 49-180 | Tray, Nesting, Round, Oak | table-lamp stool | all
shelf | Shelves | wood | 39-210 | Ladder, Floating, Cube, Pine | plant-pot picture-frame | all
# Kitchen and table > Cookware
saucepan | Saucepans | metal | 25-110 | Enamel, Copper, Steel, Milk | wooden-spoon tea-towel | all
frying-pan | Frying pans | metal | 22-95 | Cast-iron, Ceramic, Carbon-steel, Crepe | wooden-spoon apron | all
casserole | Casseroles | bright | 59-230 | Cast-iron, Stoneware, Enamel, Shallow | wooden-spoon chopping-board | autumn
kettle | Kettles | bright | 29-95 | Stovetop, Whistling, Pour-over, Enamel | teapot mug | all
# Kitchen and table > Tableware
mug | Mugs | ceramic | 8-26 | Stoneware, Speckled, Enamel, Reactive-glaze, Espresso | teapot plate | all
plate | Plates | ceramic | 9-32 | Dinner, Side, Coupe, Scalloped | bowl napkins | all
bowl | Bowls | ceramic | 9-36 | Cereal, Serving, Ramen, Pasta, Footed | plate mug | all
tumbler | Tumblers | glass | 6-22 | Ribbed, Recycled-glass, Stacking, Smoked | carafe plate | summer
carafe | Carafes | glass | 19-55 | Ribbed, Swing-top, Recycled-glass, Bedside | tumbler napkins | all
teapot | Teapots | ceramic | 24-75 | Stoneware, Cast-iron, Glass-handled, Round | mug kettle | all
# Kitchen and table > Kitchen textiles
table-runner | Table runners | textile | 18-60 | Linen, Cotton, Woven, Embroidered, Hemstitched | napkins vase | all
napkins | Napkins | textile | 12-36 | Linen, Cotton, Scalloped, Block-print | table-runner plate | all
tea-towel | Tea towels | textile | 7-20 | Waffle, Linen, Striped, Jacquard | apron chopping-board | all
apron | Aprons | textile | 18-55 | Canvas, Linen, Cross-back, Denim | tea-towel wooden-spoon | all
# Kitchen and table > Utensils
kitchen-knife | Kitchen knives | wood | 19-120 | Paring, Bread, Chef, Santoku | chopping-board apron | all
chopping-board | Chopping boards | wood | 18-75 | Oak, Olive-wood, End-grain, Beech | kitchen-knife wooden-spoon | all
wooden-spoon | Wooden spoons | wood | 5-19 | Beech, Olive-wood, Cherry, Slotted | saucepan casserole | all
storage-jar | Storage jars | glass | 7-30 | Clip-top, Cork-lid, Ribbed, Spice | wooden-spoon shelf | all
# Garden and outdoor > Camping
tent | Tents | outdoor | 89-360 | Two-person, Dome, Ridge, Family | sleeping-bag lantern | summer
sleeping-bag | Sleeping bags | outdoor | 45-180 | Down, Two-season, Three-season, Mummy | tent flask | summer
lantern | Lanterns | metal | 18-65 | Storm, Camping, Rechargeable, Folding | tent camp-chair | summer
flask | Flasks | outdoor | 15-45 | Insulated, Steel, Trail, Wide-mouth | backpack camp-chair | all
camp-chair | Camp chairs | outdoor | 29-95 | Folding, Low, Director, Light | tent flask | summer
# Garden and outdoor > Gardening
plant-pot | Plant pots | ceramic | 8-45 | Terracotta, Glazed, Fibre-clay, Hanging | watering-can seeds | spring
watering-can | Watering cans | metal | 15-55 | Galvanised, Long-reach, Enamel, Indoor | plant-pot trowel | spring
trowel | Trowels | wood | 9-32 | Ash-handled, Copper, Transplanting, Steel | seeds plant-pot | spring
seeds | Seeds | bright | 2-8 | Sweet-pea, Poppy, Tomato, Herb, Meadow | trowel plant-pot | spring | seed packet
bird-house | Bird houses | wood | 15-48 | Nesting, Cedar, Painted, Robin | seeds watering-can | spring
# Toys and games > Soft toys
teddy-bear | Teddy bears | toy | 15-55 | Plush, Mohair, Corduroy, Jointed | toy-blocks picture-book | all
toy-rabbit | Toy rabbits | toy | 14-48 | Plush, Linen, Long-eared, Knitted | teddy-bear picture-book | all
# Toys and games > Wooden toys
toy-blocks | Toy blocks | toy | 16-58 | Beech, Alphabet, Rainbow, Arch | toy-train teddy-bear | all
toy-train | Toy trains | toy | 19-75 | Wooden, Pull-along, Freight, Steam | toy-blocks puzzle | all
spinning-top | Spinning tops | toy | 6-22 | Beech, Humming, Striped, Tin | kite toy-blocks | all
kite | Kites | bright | 14-48 | Diamond, Delta, Pocket, Stunt | ball sun-hat | spring
ball | Balls | bright | 8-26 | Playground, Leather, Beach, Felt | kite spinning-top | summer
# Toys and games > Games and books
puzzle | Puzzles | bright | 12-38 | 500-piece, 1000-piece, Floor, Map | board-game playing-cards | winter
board-game | Board games | bright | 19-58 | Family, Strategy, Travel, Cooperative | puzzle playing-cards | winter
playing-cards | Playing cards | bright | 5-18 | Linen-finish, Illustrated, Large-index, Botanical | board-game puzzle | all
picture-book | Picture books | bright | 8-22 | Bedtime, Counting, Animal, Adventure | teddy-bear toy-rabbit | all
# Stationery > Writing
fountain-pen | Fountain pens | bright | 18-95 | Resin, Brushed, Pocket, Piston | ink notebook | all
pencils | Pencils | bright | 5-24 | Graphite, Colouring, Sketching, Hexagonal | notebook scissors | all | pencil set
ink | Inks | bright | 7-22 | Iron-gall, Shading, Document, Shimmer | fountain-pen writing-paper | all | ink bottle
# Stationery > Paper
notebook | Notebooks | bright | 7-32 | Dotted, Lined, Cloth-bound, Pocket, Sketch | fountain-pen pencils | all
diary | Diaries | bright | 11-36 | Weekly, Five-year, Daily, Linen-bound | fountain-pen notebook | winter
writing-paper | Writing paper | paper | 8-28 | Laid, Cotton-rag, Airmail, Deckle-edge | ink fountain-pen | all
gift-wrap | Gift wrap | bright | 3-12 | Block-print, Striped, Kraft, Floral | writing-paper scissors | winter
# Stationery > Desk
pen-pot | Pen pots | ceramic | 8-30 | Terrazzo, Stoneware, Felt, Cork | pencils desk-tray | all
scissors | Scissors | metal | 7-35 | Paper, Pinking, Embroidery, Desk | gift-wrap pen-pot | all
desk-tray | Desk trays | wood | 15-55 | Walnut, Stacking, Letter, Cork-lined | pen-pot notebook | all
# Bath and care > Bathroom
towel | Towels | textile | 12-48 | Waffle, Terry, Hammam, Organic-cotton | soap bath-mat | all
bath-mat | Bath mats | textile | 16-50 | Tufted, Cork, Woven, Pebble | towel laundry-basket | all
laundry-basket | Laundry baskets | natural | 25-85 | Seagrass, Willow, Rope, Lidded | towel bath-mat | all
# Bath and care > Care
soap | Soaps | bright | 4-15 | Olive-oil, Oatmeal, Lavender, Clay | hand-cream towel | all
hand-cream | Hand creams | bright | 7-26 | Shea, Rose, Almond, Gardener | soap shampoo | all
shampoo | Shampoos | bright | 8-28 | Nettle, Rosemary, Gentle, Citrus | soap hand-cream | all
perfume | Perfumes | glass | 35-140 | Fig-leaf, Cedar, Iris, Orange-blossom | hand-cream candle | all
# Bags and travel > Bags
backpack | Backpacks | outdoor | 45-160 | Rolltop, Canvas, Day, Commuter | flask wash-bag | all
tote-bag | Tote bags | textile | 14-60 | Canvas, Market, Woven, Zipped | sun-hat notebook | summer
handbag | Handbags | leather | 69-260 | Saddle, Leather, Bucket, Woven | purse scarf | all
purse | Purses | leather | 19-80 | Zip, Leather, Folding, Coin | handbag tote-bag | all
# Bags and travel > Travel
suitcase | Suitcases | outdoor | 79-290 | Cabin, Four-wheel, Hard-shell, Weekend | wash-bag luggage-tag | summer
wash-bag | Wash bags | textile | 14-48 | Hanging, Waxed, Quilted, Roll-up | soap suitcase | all
umbrella | Umbrellas | textile | 18-70 | Folding, Crook-handle, Windproof, Clear | raincoat boots | spring
luggage-tag | Luggage tags | leather | 6-24 | Leather, Stitched, Round, Cork | suitcase purse | all`;

type Cells = [ShapeName, string, PaletteName, string, string, string, Season, string?];

/** Every kind, in the order of the category tree. */
export const KINDS: readonly Kind[] = ROWS.split('\n# ')
  .slice(1)
  .flatMap((section) => {
    const [path, ...rows] = section.split('\n');
    const [department, category] = path!.split(' > ') as [string, string];
    return rows.map((row): Kind => {
      const [name, label, palette, prices, makes, goesWith, season, noun] = row.split(' | ') as Cells;
      const [low, high] = prices.split('-').map(Number) as [number, number];
      return {
        name,
        department,
        category,
        label,
        noun: noun ?? name.replaceAll('-', ' '),
        palette,
        season,
        price: [low, high],
        makes: makes.split(', '),
        goesWith: goesWith.split(' '),
      };
    });
  });
