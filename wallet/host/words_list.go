package host

import (
	"net/http"
	"slices"
	"strings"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
)

// maxListed is how many suggestions stand in a page. When the operator's list is longer, a
// script asks for what fits while somebody types.
const maxListed = 300

// maxSuggested is how many fit at once on a telephone.
const maxSuggested = 12

// suggestions are the words in the page itself: ours, and the operator's when there are not
// too many. More says that a script can ask for them.
type suggestions struct {
	Words []string
	More  bool
}

func (h *Host) suggestions(lang page.Language) suggestions {
	words := everyday(lang)
	if len(h.c.Labels) > maxListed {
		return suggestions{words, true}
	}
	return suggestions{distinct(append(words, h.c.Labels...)), false}
}

// suggest answers with the words that fit what was typed. That stands in the form and never
// in an address, and is kept nowhere.
func (h *Host) suggest(w http.ResponseWriter, r *http.Request, _ *session) error {
	typed := r.PostForm.Get("typed")
	w.Header().Set("Cache-Control", "no-store")
	web.WriteJSON(w, http.StatusOK, map[string][]string{"words": fitting(distinct(append(everyday(h.kit.Language(r)), h.c.Labels...)), typed)})
	return nil
}

// fitting are the words in which something begins as was typed; those that begin so
// themselves come first.
func fitting(words []string, typed string) []string {
	first, later := []string{}, []string{}
	typed = strings.ToLower(strings.TrimSpace(typed))
	if typed == "" {
		return first
	}
	for _, word := range words {
		low := strings.ToLower(word)
		switch {
		case strings.HasPrefix(low, typed):
			first = append(first, word)
		case strings.Contains(low, " "+typed):
			later = append(later, word)
		}
	}
	first = append(first, later...)
	return first[:min(len(first), maxSuggested)]
}

func distinct(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// everyday are things that many people can and few write down, in plain words.
func everyday(lang page.Language) []string {
	if lang == page.English {
		return lines(englishSkills)
	}
	return lines(dutchSkills)
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

const dutchSkills = `
Luisteren
Rustig blijven als het druk is
Goed met mensen omgaan
Goed met kinderen omgaan
Goed met ouderen omgaan
Goed met dieren omgaan
Mensen op hun gemak stellen
Een ruzie oplossen
Klachten van klanten oplossen
Klanten helpen
Verkopen
Afrekenen aan de kassa
De telefoon opnemen
Afspraken maken
Nederlands spreken
Engels spreken
Duits spreken
Arabisch spreken
Turks spreken
Pools spreken
Oekraïens spreken
Gebarentaal gebruiken
Vertalen voor een ander
Duidelijk uitleggen
Iemand iets leren
Nieuwe collega's inwerken
Voor een groep praten
Een verslag schrijven
Een brief of e-mail schrijven
Aantekeningen maken
Lezen en begrijpen
Rekenen
Meten en wegen
Geld tellen
Een budget bijhouden
De administratie doen
Formulieren invullen
Een planning maken
Werk verdelen
Leiding geven
Samenwerken
Zelfstandig werken
Op tijd komen
Afspraken nakomen
Doorzetten
Snel leren
Nieuwe dingen bedenken
Problemen oplossen
Fouten vinden
Precies werken
Met mijn handen werken
Zwaar werk doen
Lang staan of lopen
Buiten werken
's Nachts werken
In ploegen werken
Onder druk werken
Veilig werken
Eerste hulp geven
Reanimeren
Een brandje blussen
Iemand wassen en aankleden
Iemand helpen met eten
Iemand tillen met een tillift
Medicijnen klaarzetten
Een wond verzorgen
Een luier verschonen
Oppassen op kinderen
Een gezin draaiende houden
Mantelzorg geven
Iemand naar de dokter brengen
Meedenken met een familie
Koken
Koken voor een grote groep
Bakken
Hygiënisch werken met eten
Koffie en thee schenken
Serveren
Een tafel dekken
Afwassen
Schoonmaken
Ramen wassen
Bedden opmaken
Wassen en strijken
Naaien
Kleding herstellen
Knippen en kammen
Haar knippen
Make-up aanbrengen
Fietsen maken
Banden plakken
Auto's onderhouden
Autorijden
Rijden met een aanhanger
Vrachtwagen rijden
Een bus besturen
Een heftruck besturen
Een trekker besturen
De weg vinden
Pakketten bezorgen
Laden en lossen
Orders verzamelen
Voorraad tellen
Inpakken
Magazijn opruimen
Een machine bedienen
Een machine instellen
Een machine schoonmaken
Een tekening lezen
Lassen
Solderen
Boren en schroeven
Zagen
Timmeren
Metselen
Stukadoren
Schilderen
Behangen
Tegels zetten
Een vloer leggen
Loodgieterswerk doen
Stroom aanleggen
Zonnepanelen leggen
Een keuken plaatsen
Kleine klussen doen
Tuinieren
Gras maaien
Snoeien
Planten kweken
Groente en fruit plukken
Vee verzorgen
Melken
Een boom zagen
Bestraten
Afval scheiden
Met een computer werken
Typen
Werken met Excel
Werken met Word
Zoeken op internet
Een website maken
Programmeren
Computers repareren
Foto's maken
Filmen
Tekenen
Ontwerpen
Muziek maken
Zingen
Sporten met anderen
Training geven
Een feest organiseren
Vrijwilligers begeleiden
Een vereniging besturen
Bewaken en opletten
Verkeer regelen
`

const englishSkills = `
Listening
Staying calm when it is busy
Good with people
Good with children
Good with older people
Good with animals
Putting people at ease
Settling an argument
Solving customers' complaints
Helping customers
Selling
Working at the till
Answering the phone
Making appointments
Speaking Dutch
Speaking English
Speaking German
Speaking Arabic
Speaking Turkish
Speaking Polish
Speaking Ukrainian
Using sign language
Interpreting for someone
Explaining clearly
Teaching someone
Showing new colleagues the ropes
Speaking in front of a group
Writing a report
Writing a letter or e-mail
Taking notes
Reading and understanding
Doing sums
Measuring and weighing
Counting money
Keeping a budget
Doing the paperwork
Filling in forms
Making a schedule
Dividing the work
Leading a team
Working together
Working on my own
Being on time
Keeping my word
Not giving up
Learning fast
Coming up with new ideas
Solving problems
Finding mistakes
Working precisely
Working with my hands
Heavy work
Standing or walking for long
Working outdoors
Working at night
Working in shifts
Working under pressure
Working safely
Giving first aid
Doing CPR
Putting out a small fire
Washing and dressing someone
Helping someone eat
Using a patient lift
Setting out medicines
Dressing a wound
Changing nappies
Looking after children
Running a household
Caring for a relative
Taking someone to the doctor
Working with families
Cooking
Cooking for a large group
Baking
Handling food hygienically
Making coffee and tea
Waiting tables
Setting a table
Washing up
Cleaning
Washing windows
Making beds
Washing and ironing
Sewing
Mending clothes
Doing hair
Cutting hair
Doing make-up
Repairing bicycles
Mending punctures
Maintaining cars
Driving a car
Driving with a trailer
Driving a lorry
Driving a bus
Driving a forklift
Driving a tractor
Finding my way
Delivering parcels
Loading and unloading
Picking orders
Counting stock
Packing
Keeping a warehouse tidy
Operating a machine
Setting up a machine
Cleaning a machine
Reading a technical drawing
Welding
Soldering
Drilling and screwing
Sawing
Carpentry
Bricklaying
Plastering
Painting
Wallpapering
Tiling
Laying floors
Plumbing
Electrical work
Fitting solar panels
Fitting kitchens
Doing odd jobs
Gardening
Mowing grass
Pruning
Growing plants
Picking fruit and vegetables
Looking after livestock
Milking
Felling trees
Laying paving
Sorting waste
Working with a computer
Typing
Working with Excel
Working with Word
Searching the internet
Making a website
Programming
Repairing computers
Taking photographs
Filming
Drawing
Designing
Making music
Singing
Doing sports with others
Coaching a team
Organising a party
Guiding volunteers
Running a club
Keeping watch
Directing traffic
`
