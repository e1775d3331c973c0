package host

import "strings"

// Words for examples of a passphrase: short, known to everybody, hard to misread.

var dutchWords = strings.Fields(`
aap adem akker anker appel arend arm auto avond bak bal band bank bed been beer bel berg beuk bij blad bloem
blik bocht boek boog boom boot bord bos boter brief broek brood brug buik bus daad dag dak dal dans deeg deken
deur dier doek dorp draad droom druif duif dijk eend egel eik eiland emmer erwt feest fiets film fles fluit
fruit gans gast gebouw geit geld gesprek gras grens groente haak haan haar haas hagel hak halm hamer hand harp
haven hek helm hemd hert heuvel hoed hoek hof hond honing hout huis hut ijs jas jurk kaart kaas kalf kam kamer
kan kap kar kast kat kees kers ketel keuken kikker kin kip kist klas klei klok knie knoop koe koek koffie kok
kom konijn koor kop koren korf kraan krant krijt kruid kruis kuil kurk kust laars lade lamp land laan leer
leeuw lepel les letter lied lijm lijn linde lip lucht maan maat mand markt mast melk mes meer meel mier molen
mond mos mouw muis munt muur muts naald naam nacht nest net neus noot oever olie oog oor oven paal pad pan
park peer pen plank plein ploeg poes pomp poort pot prijs raam rad regen riem riet ring rivier rok roos rug
sap schaap schaar schip schoen school sjaal slak sleutel slot sneeuw soep spoor stad steen ster stoel stof
straat stro suiker tafel tak tand tas tent thee tijd toon toren touw trap trein trui tuin tulp ui uil vaas
veer veld verf vis vlag
`)

var englishWords = strings.Fields(`
apple acorn anchor apron arrow autumn bag ball bank barn basket bath beach bean bear bed bee beetle bell bench
berry bird blanket boat bone book boot bottle bowl box branch bread bridge brush bucket bus butter button
cabin cake candle canal cap car card carpet cart castle cat chair chalk cheese cherry chest chick circle city
clay clock cloth cloud clover coat coffee coin comb cook corn cotton cow crab crane creek crow cup curtain
daisy dance dawn deer desk dew dish dog door dove drum duck eagle ear earth egg elbow elm engine farm feather
fence fern field finger fire fish flag flame floor flour flower flute fog foot forest fork fox frog fruit
garden garlic gate ghost glass glove goat gold goose grape grass gravel guitar hail hair hammer hand harbor
harp hat hawk hay hedge hill honey hood hook horn horse house ice ink iron island ivy jacket jam jar jelly
jewel juice kettle key king kite kitten knee knife knot ladder lake lamb lamp land lane lantern leaf lemon
letter light lily lime linen lion lock loom maple market mast meadow melon milk mill mint mirror mist mitten
moon moss moth mountain mouse mouth mug music nail neck needle nest net night nose nut oak oar oat ocean oil
olive onion orange otter oven owl ox paddle page paint palm pan paper park path peach pear pearl pebble pen
pepper piano pig pillow pine pipe plank plate plum pocket pond pony pot potato pump rabbit rain raven rice
ring river road
`)
