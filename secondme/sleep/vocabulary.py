"""Sets of words, written as texts."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


SINGLE_NOUNS = word_set(
    """
    gym school kindergarten insurer provider browser
    name surname nickname username handle number phone email mail e-mail address birthday birthdate boss
    manager supervisor landlord landlady doctor gp dentist therapist physiotherapist vet lawyer accountant
    hairdresser teacher tutor coach trainer mentor roommate flatmate wife husband spouse partner boyfriend
    girlfriend fiancé fiancée fiance fiancee mother father mum mom dad car phone laptop job role title
    position employer company major weight height size salary income iban extension timezone wifi ssid plan
    username bank bike hometown nationality religion age bedtime chairperson chairman chair president director
    ceo cto cfo coo officer headquarters capital head author founder leader minister mayor king queen owner
    captain language currency broadcaster headmaster principal secretary treasurer maintainer lead editor
    publisher governor chancellor pope emperor spokesperson contact host assignee reviewer population anthem
    flag university sport genre location version port deadline price rent budget model colour type
    """
)
"""Nouns of which a person or thing has one."""


PERSON_NOUNS = word_set(
    """
    boss manager supervisor landlord landlady doctor gp dentist therapist physiotherapist vet lawyer
    accountant hairdresser teacher tutor coach trainer mentor roommate flatmate wife husband spouse partner
    boyfriend girlfriend fiancé fiancée fiance fiancee mother father mum mom dad
    """
)


IMPERSONAL_NOUNS = frozenset(["deadline", "price", "rent", "budget", "version", "port", "plan"])
"""Single nouns that name the thing itself: "the rent is 900"."""


NOT_ROLES = word_set(
    """
    best worst part one kind sort rest point problem reason thing things time way end beginning most least
    highlight love end result cause sign friend son daughter brother sister cousin child member symbol first
    last name day joy pride heart bit lot fan example
    """
)


OCCUPATIONS = word_set(
    """
    nurse teacher developer engineer doctor lawyer accountant designer manager programmer scientist researcher
    writer journalist chef cook waiter waitress plumber electrician carpenter architect dentist pharmacist
    consultant analyst administrator secretary lecturer professor librarian mechanic pilot driver farmer
    gardener photographer translator editor producer director lead technician receptionist cashier barista
    baker butcher hairdresser paramedic firefighter soldier policeman tester freelancer intern apprentice
    student postdoc therapist psychologist vet surgeon physiotherapist salesman consultant instructor trainer
    principal founder ceo cto cfo president officer head supervisor coordinator assistant recruiter executive
    partner
    """
)


PEOPLE = PERSON_NOUNS | word_set(
    """
    sister brother aunt uncle cousin niece nephew grandmother grandfather grandma grandpa gran granny nan son
    daughter child kid kids baby parents friend colleague neighbour neighbor classmate stepmother stepfather
    stepson stepdaughter in-law twin ex godmother godfather godson goddaughter family team sibling stepsister
    stepbrother mate buddy coworker co-worker
    """
)


_COUNTRIES = """
afghanistan, albania, algeria, argentina, armenia, australia, austria, azerbaijan, bangladesh, belarus,
belgium, bolivia, bosnia, brazil, britain, bulgaria, cambodia, cameroon, canada, chile, china, colombia, costa
rica, croatia, cuba, cyprus, czechia, the czech republic, denmark, ecuador, egypt, england, estonia, ethiopia,
finland, france, georgia, germany, ghana, great britain, greece, greenland, guatemala, hungary, iceland,
india, indonesia, iran, iraq, ireland, israel, italy, jamaica, japan, jordan, kazakhstan, kenya, korea,
kosovo, latvia, lebanon, libya, lithuania, malaysia, malta, mexico, moldova, mongolia, montenegro, morocco,
myanmar, namibia, nepal, the netherlands, netherlands, new zealand, nigeria, northern ireland, norway, oman,
pakistan, panama, paraguay, peru, the philippines, poland, portugal, qatar, romania, russia, rwanda, saudi
arabia, scotland, senegal, serbia, slovakia, slovenia, south africa, south korea, spain, sri lanka, sudan,
sweden, switzerland, syria, taiwan, tanzania, thailand, tunisia, turkey, uganda, ukraine, the uk, uk, the
united kingdom, the united states, the us, the usa, usa, uruguay, venezuela, vietnam, wales, zambia, zimbabwe,
europe, asia, africa, america, south america, california, texas, florida
"""
COUNTRIES = frozenset(" ".join(name.split()) for name in _COUNTRIES.split(","))
"""Regions that hold towns: living in one does not contradict living in the other."""
