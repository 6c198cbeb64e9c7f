"""What the demo shop sells, in both languages, with the questions shoppers ask about it."""

# ruff: noqa: E501  (a sentence for people stays on one line)

from dataclasses import dataclass

from server.demo.words import Words


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop; `key` is part of its address."""

    key: str
    name: Words
    line: Words


@dataclass(frozen=True, slots=True)
class Product:
    """One article. `was_minor` is the price before the sale, None when it is not on sale."""

    sku: str
    category: str
    price_minor: int
    was_minor: int | None
    stock: int
    title: Words
    story: Words
    made_of: Words
    size: Words
    care: Words
    asks: tuple[tuple[Words, Words], ...]


CATEGORIES = (
    Category(
        "lighting",
        Words("Lighting", "灯具"),
        Words("Soft light for long evenings.", "给长夜一束柔和的光。"),
    ),
    Category(
        "seating",
        Words("Stools & benches", "凳椅"),
        Words("Solid wood, made to be moved around.", "实木做的，搬来搬去都顺手。"),
    ),
    Category(
        "bedding",
        Words("Bedding", "床品"),
        Words("Washed linen and cotton that gets better.", "水洗棉麻，越用越软。"),
    ),
    Category(
        "tableware",
        Words("Tableware", "餐具"),
        Words("Stoneware for every day of the week.", "从周一用到周日的粗陶。"),
    ),
)

PRODUCTS = (
    Product(
        "LMP-207",
        "lighting",
        42800,
        None,
        42,
        Words("Walnut desk lamp", "胡桃木护眼台灯"),
        Words(
            "Three colour temperatures, flicker-free light and a base turned from one piece of walnut. "
            "Made for long evenings of homework.",
            "三档色温，无可视频闪，整块胡桃木车制底座。为每一个写作业的夜晚而做。",
        ),
        Words("Black walnut, linen shade, brass switch", "黑胡桃木、亚麻灯罩、黄铜开关"),
        Words("28 cm wide, 46 cm high, 1.9 m cable", "宽 28 cm，高 46 cm，线长 1.9 m"),
        Words("Dust the shade with a soft brush; no water.", "灯罩用软刷除尘，请勿沾水。"),
        (
            (
                Words(
                    "can this lamp change colour temperature? It’s for my child’s desk.",
                    "这盏台灯可以调色温吗？想放在孩子书桌上。",
                ),
                Words(
                    "Yes: 3000, 4000 and 5000 K. I’d pick 4000 K for homework.",
                    "可以的，3000K / 4000K / 5000K 三档，写作业推荐 4000K。",
                ),
            ),
            (
                Words(
                    "is the bulb included, and can I replace it?",
                    "灯泡是自带的吗？坏了能自己换吗？",
                ),
                Words(
                    "A 9 W LED comes with it. It’s a standard E27 socket, so any E27 bulb up to 12 W fits.",
                    "自带 9W LED 灯泡，标准 E27 灯口，以后买 12W 以内的都能换。",
                ),
            ),
            (
                Words("does it flicker on camera?", "用手机拍会有频闪条纹吗？"),
                Words(
                    "It doesn’t. The driver is flicker-free and we publish the test report on request.",
                    "不会的，驱动是无可视频闪的，需要的话检测报告可以发您。",
                ),
            ),
        ),
    ),
    Product(
        "LMP-118",
        "lighting",
        29800,
        34800,
        65,
        Words("Paper pendant", "和纸吊灯"),
        Words(
            "A round of handmade paper over bamboo ribs. It weighs almost nothing and turns any bulb kind.",
            "手工和纸绷在竹骨上，轻得几乎没有分量，再亮的灯泡也变得温柔。",
        ),
        Words("Mulberry paper, bamboo, cotton cord", "楮皮纸、竹、棉编电线"),
        Words("45 cm across, cord 1.5 m", "直径 45 cm，吊线 1.5 m"),
        Words("Dust with a dry cloth; keep out of steam.", "干布掸灰，避开水汽。"),
        (
            (
                Words(
                    "can the cord of the paper pendant be shortened?", "和纸吊灯的线可以剪短吗？"
                ),
                Words(
                    "Yes, there’s a clamp in the ceiling rose; you only pull the spare cord up into it.",
                    "可以，吸顶盘里有压线扣，把多余的线收上去就行，不用剪。",
                ),
            ),
            (
                Words("would the paper one survive in a bathroom?", "纸灯可以装在卫生间吗？"),
                Words(
                    "I wouldn’t: steam makes the paper sag. For bathrooms take the brass wall light.",
                    "不建议，水汽会让纸塌下来，卫生间更适合黄铜壁灯。",
                ),
            ),
        ),
    ),
    Product(
        "LMP-331",
        "lighting",
        36800,
        None,
        23,
        Words("Brass wall light", "黄铜壁灯"),
        Words(
            "A small opal globe on a brushed brass arm, for the side of the bed or the end of the hall.",
            "拉丝黄铜臂托着一颗乳白玻璃球，床头一盏，走廊尽头一盏。",
        ),
        Words("Brushed brass, opal glass", "拉丝黄铜、乳白玻璃"),
        Words("15 cm globe, reaches 22 cm from the wall", "灯球 15 cm，出墙 22 cm"),
        Words(
            "Wipe with a damp cloth; brass darkens with time.", "湿布擦拭即可，黄铜会随时间变深。"
        ),
        (
            (
                Words("is the wall light all right in a damp room?", "壁灯能装在潮湿的地方吗？"),
                Words(
                    "It’s IP44, so yes, as long as it isn’t inside the shower itself.",
                    "IP44 防溅，淋浴区以外都可以装。",
                ),
            ),
            (
                Words(
                    "does the wall light need an electrician?", "壁灯可以不走暗线，直接插插座吗？"
                ),
                Words(
                    "There are two versions: hard-wired, or with a plug and a 2.5 m fabric cable.",
                    "有两款：预埋暗线款，还有带 2.5 米布线插头款，下单时选就行。",
                ),
            ),
        ),
    ),
    Product(
        "LMP-405",
        "lighting",
        89900,
        None,
        9,
        Words("Oak floor lamp", "橡木落地灯"),
        Words(
            "Three oak legs and a wide linen shade. It reads over your shoulder without glare.",
            "三根橡木腿，一顶宽亚麻罩，在你肩后读书，不晃眼。",
        ),
        Words("White oak, linen, steel", "白橡木、亚麻、钢"),
        Words("48 cm shade, 156 cm high", "灯罩 48 cm，高 156 cm"),
        Words("Oil the legs once a year.", "木腿每年上一次木蜡油。"),
        (
            (
                Words("is the floor lamp hard to put together?", "落地灯要自己安装吗？难不难？"),
                Words(
                    "Three legs, three bolts, one key in the box. Ten minutes at most.",
                    "三条腿三颗螺丝，箱子里有扳手，十分钟以内能装好。",
                ),
            ),
            (
                Words("does the floor lamp have a foot switch?", "落地灯是脚踏开关吗？"),
                Words(
                    "Yes, a foot switch with a dimmer, 1.2 m along the cable.",
                    "是脚踏的，带无极调光，在离灯 1.2 米的线上。",
                ),
            ),
        ),
    ),
    Product(
        "STL-012",
        "seating",
        26900,
        None,
        58,
        Words("Oak stool", "橡木圆凳"),
        Words(
            "A seat, a side table, a step for the top shelf. Four legs wedged by hand, no screws.",
            "能坐，能当边几，也能垫脚拿高处的书。四条腿手工楔接，不用螺丝。",
        ),
        Words("White oak, hard-wax oil", "白橡木、木蜡油"),
        Words("32 cm across, 45 cm high, holds 150 kg", "直径 32 cm，高 45 cm，承重 150 kg"),
        Words("Wipe up water soon; oil once a year.", "沾水及时擦干，每年上一次木蜡油。"),
        (
            (
                Words(
                    "how much weight does the oak stool hold?", "橡木圆凳能承重多少？我 180 斤。"
                ),
                Words(
                    "It’s tested to 150 kg, and the joints are wedged, so it won’t wobble.",
                    "测试承重 150 公斤，榫卯楔接，您放心坐，不会晃。",
                ),
            ),
            (
                Words("does the oak stool ship to Lyon?", "圆凳可以寄到新疆吗？"),
                Words(
                    "It does: about 9 working days, and duties are already in the price shown.",
                    "可以的，大约 6 天送到，运费补 18 元。",
                ),
            ),
        ),
    ),
    Product(
        "STL-034",
        "seating",
        75900,
        89900,
        14,
        Words("Cord bench", "绳编长凳"),
        Words(
            "Ash frame, seat woven from one hundred metres of paper cord. Takes two people and their shoes.",
            "白蜡木框架，一百米纸绳编成凳面，两个人并排换鞋刚刚好。",
        ),
        Words("Ash, Danish paper cord", "白蜡木、丹麦纸绳"),
        Words("110 × 36 cm, 44 cm high", "110 × 36 cm，高 44 cm"),
        Words("Vacuum with a soft brush; blot spills.", "软毛刷吸尘，洒水后吸干。"),
        (
            (
                Words("will the woven seat of the bench sag?", "绳编长凳坐久了会塌吗？"),
                Words(
                    "It settles by about a centimetre in the first months, then stays.",
                    "头几个月会下沉一厘米左右，之后就定型了。",
                ),
            ),
            (
                Words(
                    "can the bench stand in an entrance with wet shoes?",
                    "长凳放玄关，湿鞋子会弄脏吗？",
                ),
                Words(
                    "The cord is waxed, so splashes are fine. Please don’t leave wet shoes on it overnight.",
                    "纸绳是打过蜡的，溅点水没关系，别放湿鞋过夜就好。",
                ),
            ),
        ),
    ),
    Product(
        "STL-051",
        "seating",
        18900,
        None,
        37,
        Words("Step stool", "儿童踏步凳"),
        Words(
            "Two steps to the wash basin, rounded everywhere, heavy enough not to slide.",
            "两步就够到洗手台，每个角都磨圆，分量足，不打滑。",
        ),
        Words("Beech, water-based lacquer", "榉木、水性漆"),
        Words("36 × 30 cm, 24 cm high, holds 100 kg", "36 × 30 cm，高 24 cm，承重 100 kg"),
        Words("Damp cloth and mild soap.", "湿布加中性清洁剂擦拭。"),
        (
            (
                Words(
                    "is the paint on the step stool safe for a toddler?",
                    "踏步凳的漆宝宝啃了安全吗？",
                ),
                Words(
                    "It’s a water-based lacquer tested to EN 71-3, the norm for toys.",
                    "是水性漆，按玩具标准检测过，啃到也不用担心。",
                ),
            ),
            (
                Words("does the step stool slide on tiles?", "踏步凳在瓷砖上会滑吗？"),
                Words(
                    "There are rubber rings under all four feet, even on wet tiles it stays put.",
                    "四个脚底都有橡胶圈，湿瓷砖上也站得稳。",
                ),
            ),
        ),
    ),
    Product(
        "BED-101",
        "bedding",
        26800,
        None,
        81,
        Words("Linen duvet cover", "亚麻被套"),
        Words(
            "European flax, washed until it drapes. Cool in July, warm in January, never ironed.",
            "欧洲亚麻，水洗到垂顺。七月凉，一月暖，永远不用熨。",
        ),
        Words("100 % linen, 165 g/m²", "100% 亚麻，165 g/m²"),
        Words("150 × 200, 200 × 230 or 220 × 240 cm", "150×200 / 200×230 / 220×240 cm"),
        Words("40 °C, line dry, no ironing needed.", "40°C 水洗，自然晾干，无需熨烫。"),
        (
            (
                Words("does the linen duvet cover shrink in the wash?", "亚麻被套洗了会缩水吗？"),
                Words(
                    "It’s pre-washed, so 2 % at most. 40 °C is fine.",
                    "已经预缩过，最多 2%，40 度水洗没问题。",
                ),
            ),
            (
                Words(
                    "is linen scratchy? I have sensitive skin.", "亚麻会不会扎？我皮肤比较敏感。"
                ),
                Words(
                    "The first night it feels crisp, after two washes it’s soft. You may return it within 30 days, even used.",
                    "第一晚有点挺，洗两次就软了；不适应的话 30 天内用过也能退。",
                ),
            ),
        ),
    ),
    Product(
        "BED-114",
        "bedding",
        12800,
        15800,
        120,
        Words("Washed cotton pillowcases, pair", "水洗棉枕套（一对）"),
        Words(
            "Two envelope pillowcases in stone-washed cotton, in colours that go with everything.",
            "石磨水洗棉，信封式开口，两只一对，怎么配都好看。",
        ),
        Words("100 % cotton, 60s yarn", "100% 棉，60 支"),
        Words("48 × 74 cm each", "单只 48 × 74 cm"),
        Words("60 °C, tumble dry low.", "60°C 水洗，低温烘干。"),
        (
            (
                Words("do the pillowcases fit a 50 × 75 pillow?", "枕套配 50×75 的枕芯行吗？"),
                Words(
                    "Yes, they stretch a little; 48 × 74 fits 50 × 75 snugly.",
                    "可以，有点弹性，48×74 套 50×75 的枕芯刚好饱满。",
                ),
            ),
            (
                Words(
                    "which grey of the pillowcases is closest to the linen set?",
                    "枕套哪个灰跟亚麻被套最搭？",
                ),
                Words(
                    "“Mist” is the match; “slate” is two shades darker.",
                    "选「雾灰」，「岩灰」会深两个色号。",
                ),
            ),
        ),
    ),
    Product(
        "BED-140",
        "bedding",
        45900,
        None,
        31,
        Words("Merino throw", "美利奴羊毛盖毯"),
        Words(
            "Spun and woven in one valley, finished with a short fringe. The sofa will be fought over.",
            "在同一个山谷里纺线、织造，收一圈短流苏。沙发从此要抢着坐。",
        ),
        Words("100 % merino wool", "100% 美利奴羊毛"),
        Words("130 × 180 cm, 720 g", "130 × 180 cm，720 g"),
        Words("Air it; hand wash cold with wool soap.", "平时晾晒通风，冷水手洗，用羊毛洗剂。"),
        (
            (
                Words("can I machine wash the merino throw?", "羊毛毯可以机洗吗？"),
                Words(
                    "Wool programme, cold, no spin above 600. Airing it outside usually does.",
                    "可以用羊毛档冷水，脱水 600 转以内；平时晾一晾就很干净了。",
                ),
            ),
            (
                Words("does the wool throw shed?", "盖毯会掉毛吗？"),
                Words(
                    "A little in the first week, then not any more. It’s long-staple merino.",
                    "头一周会有一点浮毛，之后就没有了，是长纤美利奴。",
                ),
            ),
        ),
    ),
    Product(
        "BED-162",
        "bedding",
        15800,
        None,
        46,
        Words("Buckwheat pillow", "荞麦枕"),
        Words(
            "Fill it or empty it until it has your height. Cool all night, with a quiet rustle.",
            "多倒一点，少倒一点，调到你的高度。整夜清凉，沙沙轻响。",
        ),
        Words("Organic buckwheat hulls, cotton twill", "有机荞麦壳、棉斜纹布"),
        Words("38 × 56 cm, 2.4 kg", "38 × 56 cm，2.4 kg"),
        Words("Sun the hulls; wash the cover only.", "荞麦壳晒太阳，只洗枕套。"),
        (
            (
                Words("is the buckwheat pillow loud?", "荞麦枕翻身会不会很响？"),
                Words(
                    "You’ll hear a soft rustle for the first nights; most people stop noticing.",
                    "头几晚能听到一点沙沙声，大多数人很快就不在意了。",
                ),
            ),
            (
                Words(
                    "can the height of the buckwheat pillow be changed?",
                    "荞麦枕高度能调吗？颈椎不太好。",
                ),
                Words(
                    "Yes, there’s a zip: take out a cup of hulls at a time until it feels right.",
                    "能，侧面有拉链，一次倒出一杯，躺下试试，合适为止。",
                ),
            ),
        ),
    ),
    Product(
        "TBL-021",
        "tableware",
        8900,
        None,
        210,
        Words("Stoneware mug", "粗陶马克杯"),
        Words(
            "Thrown on the wheel, glazed in oat, with a handle for three fingers.",
            "手工拉坯，燕麦色釉，杯柄正好容下三根手指。",
        ),
        Words("Stoneware, lead-free glaze", "粗陶、无铅釉"),
        Words("320 ml, 9 cm high", "320 ml，高 9 cm"),
        Words("Dishwasher and microwave.", "可进洗碗机和微波炉。"),
        (
            (
                Words("can the mug go into the microwave?", "马克杯能进微波炉吗？"),
                Words(
                    "Yes, and into the dishwasher. Just no open flame.",
                    "可以，洗碗机也行，别放明火上就好。",
                ),
            ),
            (
                Words("are all the mugs exactly the same colour?", "杯子颜色每只都一样吗？"),
                Words(
                    "They’re glazed by hand, so each differs a little. We try to pack pairs that match.",
                    "手工上釉，每只深浅略有不同，下单两只会尽量给您挑接近的。",
                ),
            ),
        ),
    ),
    Product(
        "TBL-044",
        "tableware",
        32900,
        38900,
        28,
        Words("Dinner plates, set of four", "餐盘四件套"),
        Words(
            "Four flat plates with a raw rim, in the four greens of a pine wood.",
            "四只浅盘，素坯盘沿，四种松林里的绿。",
        ),
        Words("Stoneware, lead-free glaze", "粗陶、无铅釉"),
        Words("26 cm across", "直径 26 cm"),
        Words("Dishwasher; avoid metal scourers.", "可进洗碗机，避免钢丝球。"),
        (
            (
                Words("can I order one more plate of the set?", "餐盘可以单买一只吗？打碎了一个。"),
                Words(
                    "Yes: write us the colour, single plates are ¥89.",
                    "可以的，告诉我颜色，单只 89 元。",
                ),
            ),
            (
                Words("do knives leave marks on the plates?", "餐盘会留下刀痕吗？"),
                Words(
                    "The glaze is hard and satin. Grey marks come off with a little baking soda.",
                    "釉面很硬，偶尔有灰痕，用小苏打一擦就掉。",
                ),
            ),
        ),
    ),
    Product(
        "TBL-060",
        "tableware",
        23900,
        None,
        19,
        Words("Side-handle teapot", "侧把茶壶"),
        Words(
            "A small pot for two with a strainer pierced into the wall. It pours without a drip.",
            "两人份的小壶，壶内壁打孔成滤，断水干净。",
        ),
        Words("Red stoneware, unglazed inside", "红陶、内壁无釉"),
        Words("380 ml", "380 ml"),
        Words("Rinse with water only.", "只用清水冲洗。"),
        (
            (
                Words("how many cups does the teapot pour?", "茶壶够几个人喝？"),
                Words(
                    "380 ml, so two mugs or five small tea cups.",
                    "380 毫升，两个马克杯，或者五个小茶杯。",
                ),
            ),
            (
                Words(
                    "may I use the teapot for black and green tea both?",
                    "茶壶可以又泡红茶又泡绿茶吗？",
                ),
                Words(
                    "It’s unglazed inside and remembers. Most people keep one pot for one kind.",
                    "内壁无釉，会「记味道」，建议一壶只泡一类茶。",
                ),
            ),
        ),
    ),
    Product(
        "TBL-083",
        "tableware",
        14900,
        None,
        52,
        Words("Oak serving board", "橡木托盘"),
        Words(
            "One plank, two handles cut by hand, oiled three times. Bread on Monday, cheese on Friday.",
            "一整块木板，手工挖出两只把手，上三遍油。周一放面包，周五放奶酪。",
        ),
        Words("White oak, food-safe oil", "白橡木、食品级木油"),
        Words("42 × 22 cm", "42 × 22 cm"),
        Words("Hand wash, dry upright, oil now and then.", "手洗，立着晾干，偶尔上油。"),
        (
            (
                Words("can I cut on the serving board?", "托盘可以当砧板切东西吗？"),
                Words(
                    "Bread and cheese, gladly. For a heavy knife take a thicker board.",
                    "切面包、奶酪没问题，剁骨头就不要啦。",
                ),
            ),
            (
                Words("what oil should I use on the board?", "木托盘用什么油保养？"),
                Words(
                    "Any food-safe mineral or linseed oil; a thin coat, wait an hour, wipe.",
                    "食品级矿物油或亚麻籽油，薄涂一层，一小时后擦掉余油。",
                ),
            ),
        ),
    ),
)


def product_by_sku(sku: str) -> Product | None:
    """The article with that number, or None."""
    return next((product for product in PRODUCTS if product.sku == sku), None)
