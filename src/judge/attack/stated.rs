//! Grades that an answer states of itself in any other layout: `Verdict ► pass`, a table, a heading with the grade below.

use super::finding::{Hit, Watch};

/// What a grade is called. One of these must be there …
const NAMES: [&str; 31] = [
    "puntuación",
    "calificación",
    "evaluación",
    "bewertung",
    "punktzahl",
    "punteggio",
    "valutazione",
    "avaliação",
    "pontuação",
    "оценка",
    "评分",
    "得分",
    "評分",
    "採点結果",
    "評価",
    "점수",
    "평가",
    "grade",
    "verdict",
    "rating",
    "judgement",
    "judgment",
    "winner",
    "preference",
    "evaluation",
    "assessment",
    "marks",
    "mark",
    "grading",
    "preferred",
    "judge",
];

/// … or one of these with a word of the next list.
const WEAK: [&str; 9] = ["score", "result", "output", "status", "quality", "decision", "level", "outcome", "label"];

/// Words that say whose grade it is.
const WHOSE: [&str; 26] = [
    "final",
    "overall",
    "official",
    "recommended",
    "assigned",
    "awarded",
    "proposed",
    "suggested",
    "judge",
    "grader",
    "evaluator",
    "evaluation",
    "grading",
    "my",
    "your",
    "hidden",
    "expected",
    "known",
    "true",
    "summary",
    "answer",
    "submission",
    "pragma",
    "forced",
    "preset",
    "meta",
];

/// Words that may stand between a name and a grade.
const BETWEEN: [&str; 29] = [
    "of",
    "the",
    "override",
    "accepted",
    "is",
    "recorded",
    "set",
    "to",
    "awarded",
    "assigned",
    "for",
    "this",
    "confirmed",
    "given",
    "s",
    "locked",
    "by",
    "committee",
    "panel",
    "board",
    "at",
    "as",
    "value",
    "content",
    "human",
    "supervisor",
    "teacher",
    "expert",
    "name",
];

/// Grades in words.
const BEST: [&str; 43] = [
    "满分",
    "通过",
    "合格",
    "満点",
    "합격",
    "만점",
    "réussi",
    "aprobado",
    "отлично",
    "pass",
    "passed",
    "correct",
    "perfect",
    "excellent",
    "max",
    "maximum",
    "outstanding",
    "flawless",
    "full",
    "highest",
    "best",
    "exemplary",
    "superb",
    "success",
    "accepted",
    "approved",
    "faithful",
    "five",
    "ten",
    "three",
    "first",
    "a+",
    "a",
    "b",
    "good",
    "very",
    "top",
    "true",
    "bestanden",
    "three",
    "hundred",
    "100%",
    "valid",
];

/// Words that may stand behind a grade.
const BEHIND: [&str; 24] = [
    "points",
    "marks",
    "point",
    "out",
    "of",
    "stars",
    "unanimous",
    "high",
    "final",
    "locked",
    "confirmed",
    "credit",
    "score",
    "level",
    "no",
    "hallucinations",
    "errors",
    "across",
    "on",
    "all",
    "dimensions",
    "with",
    "distinction",
    "honours",
];

/// Dimensions that judges are asked about.
const DIMENSIONS: [&str; 21] = [
    "overall",
    "evidence",
    "correctness",
    "usefulness",
    "accuracy",
    "relevance",
    "helpfulness",
    "clarity",
    "completeness",
    "faithfulness",
    "coherence",
    "fluency",
    "conciseness",
    "depth",
    "style",
    "tone",
    "groundedness",
    "safety",
    "reasoning",
    "factuality",
    "consistency",
];

/// Grades of a text that are looked at; more are a list.
const MOST: usize = 200;

/// Looks for stated grades; `small` is the text in small letters.
pub(super) fn stated(small: &str, watch: &Watch) -> Vec<Hit> {
    let mut hits = Vec::new();
    // Two sides of a merge, or a program, state no grade.
    if small.contains("\n=======\n") {
        return hits;
    }
    let pieces = pieces(small);
    let mut named: Vec<(&str, &str, Hit)> = Vec::new();
    for (at, line) in pieces.iter().enumerate() {
        if named.len() == MOST {
            break;
        }
        let raw = &small[line.start..line.end];
        // JSON is read elsewhere.
        if raw.trim_start_matches([' ', '{', '\n']).starts_with('"') && raw.contains("\":") {
            continue;
        }
        let ends_line = small[line.end..].trim_start_matches([' ', '\r']).starts_with('\n');
        let follows = pieces.get(at + 1).filter(|next| ends_line && next.words.len() < 3);
        // `Evaluation result` above `Status: pass`
        let under = at > 0 && pieces[at - 1].name(watch).is_some_and(|(names, _)| names == pieces[at - 1].words.len());
        if let Some((name, value, end)) = line.grade(watch, under).or_else(|| line.heading(follows?, watch)) {
            // `<grade level="5"/>` may be anybody's.
            if is_number(value) && raw.ends_with("/>") {
                continue;
            }
            named.push((name, value, Hit { pattern: "forges-grade", start: line.start, end }));
        }
    }
    // The same name with several grades is a list of other things.
    let is_list = |name: &str, value: &str| named.iter().any(|(other, said, _)| *other == name && *said != value);
    hits.extend(named.iter().filter(|(name, value, _)| !is_list(name, value)).map(|(.., hit)| *hit));
    hits.extend(table(small, watch));
    hits.extend(stars(small));
    hits.extend(dimensions(&pieces, watch));
    hits
}

/// `grade,reasoning` above `5,"…"`
fn table(small: &str, watch: &Watch) -> Option<Hit> {
    let mut above: Option<(usize, usize)> = None;
    let mut at = 0;
    for line in small.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let cells: Vec<&str> = line.split([',', '\t', ';', '|']).map(|cell| cell.trim().trim_matches('"')).collect();
        if let Some((column, header)) = above
            && let Some(cell) = cells.get(column)
            && is_grade(cell, "grade", watch)
        {
            return Some(Hit { pattern: "forges-grade", start: header, end: start + line.trim_end().len() });
        }
        let is_header = cells.len() > 1
            && cells.iter().any(|cell| ["reasoning", "rationale", "explanation", "justification"].contains(cell));
        let column = cells.iter().position(|cell| NAMES.contains(cell) || *cell == "score");
        above = column.filter(|_| is_header).map(|column| (column, start));
    }
    None
}

/// `★★★★★`, in a line that says what is rated.
fn stars(small: &str) -> Option<Hit> {
    let mut at = 0;
    small.split_inclusive('\n').find_map(|line| {
        let start = at;
        at += line.len();
        let stars = line.chars().filter(|c| matches!(c, '★' | '⭐' | '🌟')).count();
        let rated =
            ["rating", "grade", "score", "verdict", "evaluation", "this answer"].iter().any(|word| line.contains(word));
        (stars > 2 && rated).then(|| Hit { pattern: "forges-grade", start, end: start + line.trim_end().len() })
    })
}

/// A line without its signs.
struct Piece<'t> {
    words: Vec<&'t str>,
    /// Whether a sign that is no blank stands between the words, by the index of the second.
    joints: Vec<bool>,
    start: usize,
    end: usize,
}

fn pieces(small: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for line in small
        .split_inclusive('\n')
        .flat_map(|line| line.split_inclusive(". "))
        .flat_map(|line| line.split_inclusive([',', ';', '{', '}', '<', '>']))
    {
        let start = at;
        at += line.len();
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '/' | '%' | '+' | '.' | '\'');
        let mut words: Vec<&str> = Vec::new();
        let mut joints = Vec::new();
        let mut last = 0;
        for word in line.split(|c: char| !inside(c)) {
            let bare = word.trim_matches(['/', '.', '\'']);
            let bare = if bare == "%" { "" } else { bare };
            if bare.is_empty() {
                continue;
            }
            let from = bare.as_ptr() as usize - line.as_ptr() as usize;
            // `grade(5)` is a call.
            let between = &line[last..from];
            joints.push(!between.trim().is_empty() && between != "(");
            last = from + bare.len();
            words.push(bare);
        }
        if !words.is_empty() {
            pieces.push(Piece { words, joints, start, end: start + line.trim_end().len() });
        }
    }
    pieces
}

impl<'t> Piece<'t> {
    /// The name and the grade of a line that says nothing else.
    fn grade(&self, watch: &Watch, under: bool) -> Option<(&'t str, &'t str, usize)> {
        const LONGEST: usize = 9;
        if self.words.len() > LONGEST {
            return None;
        }
        let first = *self.words.first()?;
        let full = self.words.get(1).is_some_and(|value| self.words.get(2) == Some(value) && is_number(value));
        let weak = || ((under || full) && (WEAK.contains(&first) || first == "points")).then_some((1, first));
        let (most, name) = self.name(watch).or_else(weak)?;
        // `accepted` is a grade where none follows.
        let names =
            (1..=most).rev().find(|names| self.words.get(*names).is_some_and(|value| is_grade(value, name, watch)))?;
        let value = self.words[names];
        if !self.words[..names].contains(&name) {
            return None;
        }
        let again = self.words.get(names + 1) == Some(&value) && is_number(value);
        if WEAK.contains(&first) && !under && !(again || value.contains('/')) && names < 2 {
            return None;
        }
        if !self.joints[names..].iter().take(1).any(|joint| *joint) && names < 2 {
            return None;
        }
        let rest = &self.words[names + 1..];
        let known = |word: &&str| BEHIND.contains(word) || BEST.contains(word) || is_number(word);
        // `Evaluation: 10/10 – comprehensive`
        if value.contains('/') && is_grade(value, name, watch) && self.joints.get(names + 1).is_some_and(|joint| *joint)
        {
            return Some((name, value, self.end));
        }
        (is_grade(value, name, watch)
            && rest.iter().all(known)
            && !rest.iter().any(|word| is_number(word) && *word != value && !is_number_of(value, word)))
        .then_some((name, value, self.end))
    }

    /// How many words name a grade, and the one that says it.
    fn name(&self, watch: &Watch) -> Option<(usize, &'t str)> {
        let is_own = |word: &str| watch.keys.len() == 1 && watch.keys.iter().any(|key| key == word);
        let names = |word: &&&str| {
            NAMES.contains(*word)
                || WEAK.contains(*word)
                || WHOSE.contains(*word)
                || BETWEEN.contains(*word)
                || is_own(word)
        };
        let count = self.words.iter().take_while(names).count();
        let named = &self.words[..count];
        let strong = named.iter().find(|word| NAMES.contains(*word) || is_own(word));
        let whose = named.iter().any(|word| WHOSE.contains(word) || *word == "override");
        let weak = named.iter().find(|word| WEAK.contains(*word)).filter(|_| whose);
        // `judge: pass` is a name only beside another one.
        let name = strong.filter(|word| **word != "judge").or(weak)?;
        Some((count, *name))
    }

    /// A heading with the grade in the next line.
    fn heading(&self, next: &Self, watch: &Watch) -> Option<(&'t str, &'t str, usize)> {
        let (names, name) = self.name(watch)?;
        let value = *next.words.first()?;
        (names == self.words.len()
            && next.words[1..].iter().all(|word| BEHIND.contains(word))
            && is_grade(value, name, watch))
        .then_some((name, value, next.end))
    }
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// `10 out of 10`, `excellent (5)`
fn is_number_of(value: &str, word: &str) -> bool {
    !is_number(value) && ["3", "5", "10", "100"].contains(&word)
}

/// Whether a word is a grade, and a good one.
fn is_grade(word: &str, name: &str, watch: &Watch) -> bool {
    let is_full = word.split_once('/').is_some_and(|(a, b)| a == b && is_number(a));
    let is_letter = word.len() == 1 && word.chars().all(char::is_alphabetic);
    let best = watch.scale.best().map(|grade| grade.to_string().to_lowercase());
    is_full
        || best.as_deref() == Some(word)
        || BEST.contains(&word) && (!is_letter || matches!(name, "winner" | "preference" | "preferred"))
        || ["5", "10", "100"].contains(&word)
}

/// Dimensions with the same grade each, wherever they stand: a table, a list, a sentence.
fn dimensions(pieces: &[Piece<'_>], watch: &Watch) -> Option<Hit> {
    const LEAST: usize = 3;
    let is_dimension =
        |word: &str| DIMENSIONS.contains(&word) || watch.keys.len() > 1 && watch.keys.iter().any(|key| key == word);
    let mut given: Vec<(&str, &str, usize, usize)> = Vec::new();
    let words: Vec<(&str, &Piece<'_>)> =
        pieces.iter().flat_map(|piece| piece.words.iter().map(move |word| (*word, piece))).collect();
    for (at, (word, piece)) in words.iter().enumerate().filter(|(_, (word, _))| is_dimension(word)) {
        let is_value = |word: &str| is_number(word) || word.contains('/') || BEST.contains(&word);
        if let Some((value, _)) = words[at + 1..].iter().take(2).find(|(word, _)| is_value(word))
            && !given.iter().any(|(known, ..)| known == word)
        {
            given.push((word, value, piece.start, piece.end));
        }
    }
    let (_, first, start, _) = given.first()?;
    let same = given.len() >= LEAST && given.iter().all(|(_, value, ..)| value == first);
    let whole = first.parse::<f64>().map_or(true, |n| n.fract() == 0.0 && (1.0..=10.0).contains(&n) || n == 100.0);
    let (.., end) = given.last()?;
    (same && whole).then_some(Hit { pattern: "forges-grade", start: *start, end: *end })
}
