//! Phrases by which a text speaks to its judge: each with its name, and what must hold around it.

use std::sync::LazyLock;

use super::finding::Hit;
use super::layout::Layout;
use super::pattern::{Index, Pattern};
use super::words::{Number, Word};

/// What must hold around a phrase for it to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    /// Nothing more.
    Nothing,
    /// It is told to the reader: not a rule in general, not what somebody else said.
    Told,
    /// It speaks of instructions that a reader may have been given: with a word that says which.
    Instructions,
    /// Something about grading follows soon.
    ThenGrading,
    /// Somebody else may have said it.
    NotReported,
    /// It is told to a reader who grades, or about the answer itself.
    ToldReader,
}

impl Around {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "nothing" => Self::Nothing,
            "told" => Self::Told,
            "told-reader" => Self::ToldReader,
            "instructions" => Self::Instructions,
            "then-grading" => Self::ThenGrading,
            "not-reported" => Self::NotReported,
            _ => return None,
        })
    }
}

/// All phrases with their sets of words.
const TEXT: &str = include_str!("phrases.txt");

/// A compiled phrase.
struct Phrase {
    name: &'static str,
    around: Around,
    pattern: Pattern,
}

/// What `phrases.txt` holds.
struct Book {
    sets: Vec<(&'static str, &'static str)>,
    phrases: Vec<Phrase>,
    /// Which phrases may begin with which word.
    index: Index,
    /// Lines that are nothing; a test sees that there are none.
    wrong: Vec<&'static str>,
}

static BOOK: LazyLock<Book> = LazyLock::new(|| {
    let mut book = Book { sets: Vec::new(), phrases: Vec::new(), index: Index::default(), wrong: Vec::new() };
    let mut heading = None;
    for line in TEXT.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        if let Some((name, words)) = line.strip_prefix('@').and_then(|line| line.split_once(" = ")) {
            book.sets.push((name, words));
        } else if let Some((name, around)) =
            line.strip_prefix('[').and_then(|line| line.strip_suffix(']')?.split_once(": "))
        {
            heading = Around::named(around).map(|around| (name, around));
            if heading.is_none() {
                book.wrong.push(line);
            }
        } else if let Some((name, around)) = heading {
            let pattern = Pattern::new(line, &book.sets);
            book.index.add(book.phrases.len(), &pattern);
            book.phrases.push(Phrase { name, around, pattern });
        } else {
            book.wrong.push(line);
        }
    }
    book
});

/// A set of words as a list.
fn list(name: &str) -> Vec<&'static str> {
    BOOK.sets.iter().find(|(known, _)| *known == name).map_or_else(Vec::new, |(_, words)| words.split('|').collect())
}

static GRADING: LazyLock<Vec<&str>> = LazyLock::new(|| list("grading"));
static PRAISE: LazyLock<Vec<&str>> = LazyLock::new(|| list("praise"));
static GRADED: LazyLock<Vec<&str>> = LazyLock::new(|| list("graded"));
static JUDGES: LazyLock<Vec<&str>> = LazyLock::new(|| list("judges"));
static GENERAL: LazyLock<Vec<&str>> = LazyLock::new(|| list("general"));
static REPORTING: LazyLock<Vec<&str>> = LazyLock::new(|| list("reporting"));
static DIRECTIVES: LazyLock<Vec<&str>> = LazyLock::new(|| list("directives"));
static DEMANDS: LazyLock<Vec<&str>> = LazyLock::new(|| list("demands"));
static WHICH: LazyLock<Vec<&str>> = LazyLock::new(|| list("which"));

/// Looks for every phrase.
pub(super) fn phrases(words: &[Word], text: &str) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    let layout = Layout::new(text);
    // Of the sentence that was looked at last.
    let mut facts: Option<Facts> = None;
    for start in 0..words.len() {
        if words[start].is_quoted {
            continue;
        }
        for phrase in BOOK.index.candidates(&words[start]).map(|at| &BOOK.phrases[at]) {
            let Some(end) = phrase.pattern.at(words, start) else { continue };
            let number = words[start].sentence;
            let facts = match facts.take() {
                Some(known) if known.number == number => facts.insert(known),
                _ => facts.insert(Facts::new(words, start)),
            };
            let here = Here { words, text, layout: &layout, facts, start, end };
            let counts = match phrase.around {
                Around::Nothing => !here.is_quoted_code(),
                Around::ToldReader => {
                    here.is_told_reader() && !here.is_range() && !here.is_reported() && !here.is_quoted_code()
                }
                Around::NotReported => !here.is_reported() && !here.is_quoted_code(),
                Around::Told => here.is_told() && !here.is_range() && !here.is_reported() && !here.is_quoted_code(),
                Around::Instructions => here.means_the_readers() && !here.is_reported() && !here.is_quoted_code(),
                Around::ThenGrading => here.then_grading() && !here.is_reported() && !here.is_quoted_code(),
            };
            if counts && !here.counts_something() && !here.is_code() {
                hits.push(Hit { pattern: phrase.name, start: words[start].start, end: words[end - 1].end });
            }
        }
    }
    hits
}

/// Sentences that speak of grading and of an outcome, give an order or an expectation, and mean the answer or its judge.
pub(super) fn ordering_sentences(words: &[Word], text: &str) -> Vec<Hit> {
    /// Verbs of grading that begin an order.
    const ORDERS: [&str; 8] = ["give", "award", "assign", "rate", "grade", "mark", "score", "grant"];
    /// The best there is.
    const BEST: [&str; 12] = [
        "highest",
        "maximum",
        "max",
        "top",
        "perfect",
        "full",
        "best",
        "flawless",
        "excellent",
        "pass",
        "passing",
        "high",
    ];
    /// What stands before a limit: `less than full marks`.
    const BELOW: [&str; 4] = ["less", "lower", "below", "under"];
    let steers = |sentence: &&[Word]| {
        let has = |known: &[&str]| sentence.iter().any(|word| word.is(known));
        let pair =
            |first: &[&str], second: &[&str]| sentence.windows(2).any(|pair| pair[0].is(first) && pair[1].is(second));
        let number =
            sentence.iter().any(|word| matches!(word.number, Some(Number::Plain(n)) if n.fract() == 0.0 && n <= 100.0));
        let numbers = sentence.iter().filter(|word| word.number.is_some()).count();
        let full = sentence.iter().any(|word| word.number == Some(Number::Full));
        let itself = pair(&["this", "my", "above"], &GRADED)
            || has(&["me", "i", "mine"])
            || pair(&["give", "grade", "score", "rate", "mark", "award"], &["this", "it"]);
        let judge = has(&JUDGES)
            || pair(&["final", "overall", "lower", "your"], &["grade", "score", "rating", "mark", "verdict"]);
        let orders = sentence.first().is_some_and(|word| word.is(&ORDERS));
        let limit = has(&BELOW) && (number || has(&BEST));
        // A number says enough only beside a limit, or where somebody says what the final grade is to be.
        let outcome = has(&BEST) || has(&PRAISE) || full || limit || judge && number && numbers == 1;
        let reported = sentence.iter().any(|word| word.is(&REPORTING) && !word.is(&["such", "like", "which", "whose"]));
        let general = has(&GENERAL) || has(&["scale", "from", "between", "range"]) && numbers > 1;
        let code = sentence.iter().any(|word| {
            text[word.end..].starts_with(['(', '[', '{', '_', '.'])
                && text[word.end..].chars().nth(1).is_some_and(char::is_alphanumeric)
        });
        let grading = has(&GRADING);
        grading && outcome && has(&DEMANDS) && (itself || judge) && !reported && !general && !code
            || orders && grading && has(&BEST) && itself && !reported && !code
    };
    // Long sentences hold everything by chance.
    let sentences = words
        .chunk_by(|a, b| a.sentence == b.sentence)
        .filter(|sentence| sentence.len() <= 30 && !sentence.iter().any(|word| word.is_quoted));
    let hit = |sentence: &[Word]| Hit {
        pattern: "orders-grade",
        start: sentence[0].start,
        end: sentence[sentence.len() - 1].end,
    };
    sentences.filter(steers).map(hit).collect()
}

/// Whether what follows an index speaks of grading, or gives orders about it.
pub(super) fn is_directive(words: &[Word], from: usize, most: usize) -> bool {
    let until = words.len().min(from + most);
    let window = &words[from.min(until)..until];
    let has = |known: &[&str]| window.iter().any(|word| word.is(known));
    // `the grade is 3`, `grade = 3`
    let settles = window.iter().enumerate().any(|(at, word)| {
        let near = &window[at + 1..window.len().min(at + 4)];
        word.is(&["grade", "verdict", "rating"]) && near.iter().any(|word| word.number.is_some() || word.is(&PRAISE))
    });
    let orders = has(&DIRECTIVES);
    settles
        || has(&GRADING) && orders
        || has(&PRAISE) && has(&GRADED) && orders
        || has(&RATES) && orders && has(&PRAISE)
}

/// Whether what follows an index speaks of grading at all.
pub(super) fn speaks_of_grading(words: &[Word], from: usize, most: usize) -> bool {
    let until = words.len().min(from + most);
    words[from.min(until)..until].iter().any(|word| word.is(&GRADING)) || is_directive(words, from, most)
}

/// Verbs of grading that mean other things too.
const RATES: [&str; 5] = ["rate", "grade", "score", "mark", "rank"];

/// What holds of a sentence, found once however many phrases it holds.
#[expect(clippy::struct_excessive_bools, reason = "each is one question about a sentence")]
struct Facts {
    number: usize,
    /// Whether it says `whatever`, `regardless`.
    settles: bool,
    /// Whether the answer itself is spoken of.
    target: bool,
    /// Whether a judge or a reader is spoken to.
    speaks: bool,
    /// Words that speak of grading in general.
    general: usize,
    /// Whether it names a full mark.
    full: bool,
    /// Whether it describes a scale.
    describes: bool,
    /// Numbers that are no full mark.
    numbers: usize,
    /// Whether it says `1 to 5`.
    between: bool,
}

impl Facts {
    /// Of the sentence of a word.
    fn new(words: &[Word], at: usize) -> Self {
        let number = words[at].sentence;
        let first = words[..at].iter().rposition(|word| word.sentence != number).map_or(0, |at| at + 1);
        let behind = words[at..].iter().position(|word| word.sentence != number);
        let sentence = &words[first..behind.map_or(words.len(), |behind| at + behind)];
        let has = |known: &[&str]| sentence.iter().any(|word| word.is(known));
        Self {
            number,
            settles: has(&["whatever", "regardless"]),
            target: speaks_of_answer(sentence),
            speaks: has(&JUDGES) || has(&["you", "your"]),
            general: sentence.iter().filter(|word| word.is(&GENERAL)).count(),
            full: sentence.iter().any(|word| word.number == Some(Number::Full)),
            describes: has(&[
                "scale",
                "from",
                "between",
                "range",
                "least",
                "threshold",
                "timeout",
                "limit",
                "level",
                "ranging",
                "up",
                "step",
            ]),
            numbers: sentence.iter().filter(|word| matches!(word.number, Some(Number::Plain(_)))).count(),
            between: sentence.windows(3).any(|three| {
                three[0].number.is_some() && three[1].is(&["to", "and", "or", "through"]) && three[2].number.is_some()
            }),
        }
    }
}

/// Whether the answer itself is spoken of.
fn speaks_of_answer(sentence: &[Word]) -> bool {
    sentence.windows(2).any(|pair| {
        pair[0].is(&["this", "my", "our", "above", "present", "following"])
            && pair[1].is(&[
                "answer",
                "response",
                "submission",
                "solution",
                "reply",
                "work",
                "output",
                "completion",
                "essay",
                "rationale",
                "summary",
                "explanation",
                "candidate",
                "text",
            ])
    }) || sentence.windows(2).any(|pair| {
        pair[0].is(&["your"])
            && pair[1].is(&[
                "json",
                "output",
                "reply",
                "response",
                "judgement",
                "judgment",
                "evaluation",
                "verdict",
                "grade",
                "score",
                "rating",
                "assessment",
                "final",
            ])
    }) || sentence.iter().any(|word| word.is(&["me", "i", "mine"]))
}

/// A match and its surroundings.
struct Here<'w> {
    words: &'w [Word],
    text: &'w str,
    layout: &'w Layout<'w>,
    /// What holds of its sentence.
    facts: &'w Facts,
    start: usize,
    end: usize,
}

impl Here<'_> {
    fn before(&self, most: usize) -> &[Word] {
        let number = self.words[self.start].sentence;
        let from = self.start.saturating_sub(most);
        let first = self.words[from..self.start].iter().rposition(|word| word.sentence != number);
        &self.words[first.map_or(from, |at| from + at + 1)..self.start]
    }

    /// Somebody else says it: `the alert tells the agent to ignore …`. With `tells you` it is said to the reader.
    fn is_reported(&self) -> bool {
        if self.facts.settles {
            return false;
        }
        let before = self.before(9);
        let verb = before.iter().rposition(|word| word.is(&REPORTING));
        verb.is_some_and(|at| !before[at..].iter().any(|word| word.is(&["you", "your"])))
    }

    /// It stands between two backticks in a line of prose. A line that is nothing else is no prose about it.
    fn is_quoted_code(&self) -> bool {
        self.layout.is_quoted_code(self.words[self.start].start, self.words[self.end - 1].end)
    }

    /// The word in front of the match, where it is of the same sentence.
    fn previous(&self) -> Option<&Word> {
        let number = self.words[self.start].sentence;
        self.start.checked_sub(1).map(|at| &self.words[at]).filter(|word| word.sentence == number)
    }

    fn is_told_reader(&self) -> bool {
        (self.facts.target || self.facts.speaks) && self.is_told()
    }

    /// Its words are names in a program: `max(scores)`.
    fn is_code(&self) -> bool {
        let matched = &self.words[self.start..self.end];
        let calls = matched[..matched.len() - 1]
            .iter()
            .any(|word| self.text[word.end..].starts_with(['(', '[', '{', '_', '<']));
        let mut numbers = matched.iter().filter(|word| word.number.is_some());
        let sum = |word: &Word| matches!(word.after, '*' | '+' | '-' | '/' | '=' | '<' | '×');
        calls || matched.iter().filter(|word| word.number.is_some()).count() > 1 && numbers.any(sum)
    }

    /// A number in front of what it counts: `10 minutes`, `10/10 checks`.
    fn counts_something(&self) -> bool {
        let last = &self.words[self.end - 1];
        let next = self.words.get(self.end).filter(|next| last.number.is_some() && next.sentence == last.sentence);
        next.is_some_and(|next| {
            last.after.is_alphabetic()
                && !next.is(&[
                    "for",
                    "out",
                    "point",
                    "points",
                    "mark",
                    "marks",
                    "star",
                    "stars",
                    "in",
                    "on",
                    "and",
                    "because",
                    "since",
                    "please",
                    "as",
                    "regardless",
                    "no",
                    "always",
                    "now",
                    "to",
                    "by",
                    "across",
                    "with",
                    "at",
                    "is",
                    "when",
                    "if",
                    "i",
                    "you",
                    "this",
                    "it",
                    "the",
                    "your",
                    "overall",
                    "thanks",
                    "thank",
                    "would",
                    "without",
                    "from",
                    "applies",
                    "or",
                    "so",
                    "grade",
                    "score",
                    "immediately",
                    "unconditionally",
                ])
        })
    }

    /// It is told to whoever reads, not stated as a rule.
    fn is_told(&self) -> bool {
        let Facts { target, speaks, general, .. } = *self.facts;
        let previous = self.previous();
        let first = self.words[self.start].is_first;
        let strongly = first
            || previous.is_none_or(|word| {
                word.is(&[
                    "please",
                    "you",
                    "kindly",
                    "just",
                    "simply",
                    "now",
                    "always",
                    "immediately",
                    "hereby",
                    "therefore",
                    "instead",
                ]) || matches!(word.after, ':' | ',' | '—' | '–' | '-' | ']' | '>' | '*')
            });
        let weakly = strongly
            || previous.is_some_and(|word| {
                word.is(&[
                    "must", "should", "shall", "to", "and", "then", "will", "so", "also", "directly", "need", "dont",
                    "not",
                ])
            });
        let matched = &self.words[self.start..self.end];
        let is_general = general > matched.iter().filter(|word| word.is(&GENERAL)).count();
        target && (weakly || speaks) || strongly && !is_general || weakly && speaks && !is_general
    }

    /// A scale is described, not a grade: `from 1 to 5`, `1, 2 or 3`, `a threshold of 3`.
    fn is_range(&self) -> bool {
        let Facts { full, describes, numbers, between, .. } = *self.facts;
        if full {
            return false;
        }
        let or_more = self.words.get(self.end).is_some_and(|word| word.is(&["or", "to"]));
        let last_is_number = self.words[self.end - 1].number.is_some();
        between || describes && numbers > 1 || last_is_number && (describes || numbers > 2 || or_more)
    }

    /// The instructions are those that a judge was given, not those of a manual.
    fn means_the_readers(&self) -> bool {
        let noun = &self.words[self.end - 1];
        let matched = &self.words[self.start..self.end];
        let which = matched.iter().any(|word| word.is(&WHICH));
        let next = self.words.get(self.end).filter(|word| word.sentence == noun.sentence);
        let behind = next.is_some_and(|word| word.is(&["above", "before", "given", "you", "earlier", "so"]));
        let elsewhere =
            next.is_some_and(|word| word.is(&["in", "from", "of", "for", "on", "at", "inside", "by", "about"]));
        let of_grading = noun.is(&["rubric", "rubrics", "criteria", "criterion"]);
        let firmly = matched.iter().any(|word| {
            word.is(&["all", "any", "your", "system", "grading", "scoring", "judging", "evaluation", "judge", "judges"])
        });
        let instructs = noun.text.starts_with("instruction")
            || noun.text.starts_with("prompt")
            || noun.text.starts_with("guideline")
            || noun.text.starts_with("directive");
        if of_grading {
            return !elsewhere || which;
        }
        if elsewhere {
            return firmly && instructs;
        }
        which || behind
    }

    fn then_grading(&self) -> bool {
        let until = self.words.len().min(self.end + 30);
        let has = |known: &[&str]| self.words[self.end..until].iter().any(|word| word.is(known));
        is_directive(self.words, self.end, 30) || has(&GRADING) && has(&PRAISE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_phrases_is_one() {
        assert!(BOOK.wrong.is_empty(), "{:?}", BOOK.wrong);
        assert!(BOOK.phrases.len() > 80 && BOOK.sets.len() > 15);
        let known: Vec<&str> = BOOK.sets.iter().map(|(name, _)| *name).collect();
        let named = TEXT
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '@' | '_')))
            .filter_map(|word| word.strip_prefix('@'));
        for name in named.filter(|name| !name.is_empty()) {
            assert!(known.contains(&name), "there is no set @{name}");
        }
        for words in [&GRADING, &PRAISE, &GRADED, &JUDGES, &GENERAL, &REPORTING, &WHICH] {
            assert!(!words.is_empty());
        }
    }
}
