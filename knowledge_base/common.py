"""Common English words, which are never taken for a mistyped other one.

A shop's base knows few words; without these, "seem" would be put right to "see".
"""

from __future__ import annotations

from functools import cache

from knowledge_base.text import tokens

_WORDS = """
able about above accept access account across action active actual address advice afraid after
afternoon again against agree ahead airport album alike alive allow almost alone along already
also although always amount angry animal another answer anybody anyone anything apart appear apple
apply appointment area argue around arrange arrive article aside asleep aunt author avoid awake
away awful baby back bacon bake balance ball bank base basic basket bath battery beach bean bear
beat beauty become bedroom beef beer before begin behind believe bell belong below belt bench bend
beside best better between beyond bill bird birth birthday bite bitter black blame blank blind
block blood blow blue board boat body boil bone book boot border bore born boss bottle bottom bowl
brain brake branch brand brave bread break breakfast breath bridge brief bright bring broad
brother brown brush budget build bunch burn bush business busy butter button cable cake calendar
call calm camera camp cancel candle capital card care career careful carpet carry case cash castle
catch cause ceiling cent center central centre century certain chain chair chance change channel
charge charm chat cheap check cheek cheese cherry chest chicken child children choice choose
circle city class clean clear clever click climb clock close cloth cloud club coach coast coat
code coffee coin cold colleague collect college color colour column comb come comfort common
company compare complain complete computer concern condition confirm confuse connect consider
contact contain content contract control cook cookie cool copy corner correct cost cotton count
country couple courage course court cousin cover crash crazy cream create credit crime cross crowd
cruel culture cure curious current curtain custom customer daily damage dance danger dark date
daughter dead deal dear death debt decide deep degree delay deliver demand dentist depend desert
deserve design desire desk detail develop device dictionary diet differ difference different
difficult dinner direct direction dirt dirty discuss dish distance divide doctor dollar door
double doubt down dozen draft drag draw dream dress drink drive drop drug drum duck dull dumb
during dust duty each early earn earth ease east easy edge education effect effort eight either
elbow elder elect else email empty enemy energy engine engineer enjoy enough enter entire equal
error escape especially even evening event ever every everyone everything exact exam example
excellent except excite excuse exercise exist exit expect expense expert explain express extra
extreme face fact factory fail fair fall false family famous farm fashion fast father fault favor
favorite favour fear feed feel fellow female fence fetch fever field fight figure file fill film
final find fine finger finish fire firm first fish five flag flame flat flavor flesh flight float
floor flour flow flower focus fold follow food fool foot football force foreign forest forever
forget forgive fork form formal former forward four frame free freeze fresh friday friend frog
front fruit fuel full funny furniture further future gain game garage garden gate gather general
gentle gift girl give glad glass global glove glue goal goat gold gone good goodbye government
grade grain grand grandma grandpa grant grass grateful grave gray great green greet grey ground
group grow guard guess guest guide guilty guitar habit hair half hall hand handle hang happen
happy harbor hard hardly harm hate head health hear heart heat heaven heavy height help hence here
hide high hill hire history hobby hold hole holiday home honest honey hope horn horror horse
hospital host hotel hour house however huge human humor hundred hungry hunt hurry hurt husband
idea ideal identify ignore image imagine important impossible impress improve inch include income
increase indeed indoor inform injure insect inside instead insurance intend interest internet
interview invest invite iron island issue item jacket jail jealous jeans join joke journey judge
juice jump june junior jury keep kettle kick kill kilo kind king kiss kitchen knee knife knock
know label lady lake lamb land language large last late laugh launch lawn lawyer layer lazy lead
leaf leak lean learn leather leave left legal lemon lend length lesson letter level library
licence license life lift light limit line lion liquid list listen litre little live load loan
local lock lonely long look loose lose loss lost loud love lovely loyal luck lucky luggage lunch
lung machine magazine magic mail main major make male mall manage manager many march mark market
marriage marry mass master match material math matter maximum maybe meal mean measure meat media
medical medicine meet melt member memory mention menu mercy mess message metal method middle
midnight might mild mile milk mind mine minimum minor minute mirror miss mistake mobile model
modern moment monday money monkey month mood moon moral more morning most mother motor mountain
mouse mouth move movie much murder muscle museum music must myself nail name narrow nasty nation
nature near nearly neat neck need needle neighbor neighbour neither nephew nerve nervous nest
never news next nice niece night nine nobody noise none noon normal north nose note nothing notice
novel number nurse object obvious ocean offer office often okay once onion only open operate
opinion option orange order ordinary other ought outside oven over owner pack page pain paint pair
palace pale panic pants paper parent park part partner party pass passport past path patient pause
peace peach peak pear pencil people pepper perfect perhaps period permit person phone photo piano
pick picnic picture piece pill pillow pilot pink pipe pity pizza place plain plan plane planet
plant plastic plate play player pleasant please pleasure plenty plug plus pocket poem poet point
poison police policy polite political pool poor popular pork port position possible post potato
pound pour powder power practice praise pray prefer prepare present press pretend pretty prevent
previous price pride priest prince print prison private prize probably problem process produce
product profit program promise proof proper protect proud prove provide public pull pump punish
pure purple purpose purse push puzzle quality quantity quarter queen question queue quick quickly
quiet quite quote rabbit race radio rain raise random range rapid rare rate rather reach read
ready real realise realize really reason receipt receive recent recipe record reduce refer refuse
regard region regret regular reject relate relax release rely remain remember remind remove rent
repair repeat replace reply report request require reserve rest restaurant result return review
reward rice rich ride right ring rise risk river road roast rock role roll roof room root rope
rose rotten rough round route royal rubber rubbish rude ruin rule rush safe sail salad salary sale
salt same sand sandwich saturday sauce save scale scare scene schedule school science score
scratch screen search season seat second secret section secure seed seek seem seen seldom select
self sell send senior sense sentence separate serious serve service settle seven several severe
shade shadow shake shall shallow shame shape share sharp sheep sheet shelf shell shelter shine
ship shirt shock shoe shoot shop short shot should shoulder shout show shower shut sick side sight
sign signal silence silent silk silly silver similar simple since sing single sink sister site
situation size skill skin skip skirt sleep slice slide slight slip slow small smart smell smile
smoke smooth snack snake snow soap social sock sofa soft software soil soldier solid solve some
somebody someone something sometimes somewhere song soon sore sorry sort soul sound soup sour
south space spare speak special speech speed spell spend spider spirit spite spoil spoon sport
spot spread spring square stable staff stage stairs stamp stand star stare start state station
stay steak steal steam steel steep step stick stiff still stir stock stomach stone stop store
storm story stove straight strange straw stream street stress stretch strict strike string strong
student study stuff stupid style subject succeed success such sudden suffer sugar suggest suit
summer sunday supply support suppose sure surface surprise sweat sweep sweet swim switch symbol
system table tail take tale talk tall tank tape target task taste taxi teach team tear telephone
television temper tend tennis tent term terrible test text thank thanks theatre theft then theory
thick thief thin thing think third thirty though thought thousand thread threat three throat
through throw thumb thunder thursday ticket tidy tiger tight till time tiny tire title toast today
together toilet tomato tomorrow tone tongue tonight tool tooth topic total touch tough tour toward
towel tower town trace track trade traffic train translate transport trap travel treat tree trip
trouble truck true trunk trust truth tube tuesday tune turn twelve twenty twice twin type typical
ugly umbrella uncle under understand unit unite university unless until upon upper upset urgent
useful usual vacation valley value various vast vegetable vehicle very victim view village visa
visit voice volume vote wage wait wake walk wall wallet wander want warm warn wash waste watch
water wave weak wealth weapon wear weather website wednesday week weekend weight welcome well west
wheel whether while whisper white whole whom whose wide wife wild will wind window wine wing
winner winter wipe wire wise wish within without witness woman women wonder wood wool word work
world worry worse worst worth wound wrap wrist write writer wrong yard year yellow yesterday yoga
young yourself zero zone
"""


@cache
def common_tokens() -> frozenset[str]:
    """What the search cuts these words to.

    >>> "seem" in common_tokens(), "refnd" in common_tokens()
    (True, False)
    """
    return frozenset(token for word in _WORDS.split() for token in tokens(word))
