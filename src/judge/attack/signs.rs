//! Signs of steering in any language, and the rules that say which of them together are an attempt.
//!
//! `signs.txt` holds both. A sign is a notion (`best`: full marks, the highest grade; `itself`: this answer) with the
//! words for it; a rule names signs that one sentence, or two neighbours, hold together. So a phrase in new words, or in
//! another language, is found as long as it says the same.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::finding::Hit;
use super::fold::fold;
use super::layout::ahead;
use super::pattern::{Index, Pattern, Sets};
use super::words::Word;

const TEXT: &str = include_str!("signs.txt");

/// A longer sentence holds everything by chance: it is looked at in parts.
const LONGEST: usize = 45;

/// Sentences that are near each other.
const NEAR: usize = 3;

/// Scripts from here on are searched for words inside words: they write no blanks, or glue words together.
const GLUED_FROM: char = '\u{590}';

/// Which signs there are, one bit each.
type Bits = u128;

/// Where the signs of a rule must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    Sentence,
    Near,
    Answer,
}

/// Signs that are an attempt together.
struct Rule {
    name: &'static str,
    window: Window,
    /// Of each, one.
    all: Vec<Bits>,
    /// None of these.
    none: Bits,
}

/// Signs that the code itself speaks of.
#[derive(Debug, Clone, Copy, Default)]
struct Computed {
    address: Bits,
    number: Bits,
    judge: Bits,
    imperative: Bits,
    speaker: Bits,
}

/// What `signs.txt` holds.
struct Book {
    signs: Vec<&'static str>,
    patterns: Vec<(usize, Pattern)>,
    index: Index,
    /// Words inside words, with their signs.
    glued: HashMap<String, Bits>,
    longest_glued: usize,
    computed: Computed,
    rules: Vec<Rule>,
    /// Lines that are nothing; a test sees that there are none.
    wrong: Vec<String>,
}

static BOOK: LazyLock<Book> = LazyLock::new(|| Book::read(TEXT));

impl Book {
    fn read(text: &'static str) -> Self {
        let mut book = Self {
            signs: Vec::new(),
            patterns: Vec::new(),
            index: Index::default(),
            glued: HashMap::new(),
            longest_glued: 0,
            computed: Computed::default(),
            rules: Vec::new(),
            wrong: Vec::new(),
        };
        let lines =
            || text.lines().map(str::trim).filter(|line| !(line.is_empty() || line.starts_with("# ") || *line == "#"));
        // Computed ones first, then all names: a rule may name a sign of any place.
        book.signs.extend([ADDRESS, NUMBER]);
        book.signs.extend(lines().filter_map(|line| line.strip_prefix('(')?.strip_suffix(')')));
        let bit = |name| book.bit(name).unwrap_or_default();
        book.computed = Computed {
            address: bit(ADDRESS),
            number: bit(NUMBER),
            judge: bit("judge"),
            imperative: bit("imperative"),
            speaker: bit("speaker"),
        };
        let mut sets: Vec<(&str, &str)> = Vec::new();
        let mut sign = None;
        let mut heading = None;
        for line in lines() {
            if let Some((name, words)) = line.strip_prefix('@').and_then(|line| line.split_once(" = ")) {
                sets.push((name, words));
            } else if let Some(name) = line.strip_prefix('(').and_then(|line| line.strip_suffix(')')) {
                sign = book.signs.iter().position(|known| *known == name);
                heading = None;
            } else if let Some(inside) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                sign = None;
                heading = book.heading(inside);
                if heading.is_none() {
                    book.wrong.push(line.to_owned());
                }
            } else if let Some((name, window, none)) = heading {
                match book.rule(line) {
                    Some((all, but)) => book.rules.push(Rule { name, window, all, none: none | but }),
                    None => book.wrong.push(line.to_owned()),
                }
            } else if let Some(sign) = sign {
                book.add(sign, line, &sets);
            } else {
                book.wrong.push(line.to_owned());
            }
        }
        book
    }

    fn bit(&self, name: &str) -> Option<Bits> {
        self.signs.iter().position(|known| *known == name).map(|at| 1 << at)
    }

    /// `orders-grade: sentence -reported`
    fn heading(&self, inside: &'static str) -> Option<(&'static str, Window, Bits)> {
        let (name, rest) = inside.split_once(": ")?;
        let mut parts = rest.split_whitespace();
        let window = match parts.next()? {
            "sentence" => Window::Sentence,
            "near" => Window::Near,
            "answer" => Window::Answer,
            _ => return None,
        };
        let mut none = 0;
        for part in parts {
            none |= self.bit(part.strip_prefix('-')?)?;
        }
        Some((name, window, none))
    }

    /// `itself best|good -general`
    fn rule(&self, line: &str) -> Option<(Vec<Bits>, Bits)> {
        let (mut all, mut none) = (Vec::new(), 0);
        for part in line.split_whitespace() {
            if let Some(name) = part.strip_prefix('-') {
                none |= self.bit(name)?;
            } else {
                all.push(part.split('|').try_fold(0, |bits, name| Some(bits | self.bit(name)?))?);
            }
        }
        (!all.is_empty()).then_some((all, none))
    }

    fn add(&mut self, sign: usize, line: &str, sets: Sets<'_>) {
        if line.chars().any(|c| c >= GLUED_FROM) {
            for word in line.split('|') {
                let word: String = fold(word).chars.into_iter().filter(|c| !c.is_whitespace()).collect();
                self.longest_glued = self.longest_glued.max(word.chars().count());
                *self.glued.entry(word).or_default() |= 1 << sign;
            }
            return;
        }
        let folded: String = fold(line).chars.into_iter().collect();
        let pattern = Pattern::new(&folded, sets);
        self.index.add(self.patterns.len(), &pattern);
        self.patterns.push((sign, pattern));
    }
}

/// A judge is spoken to: `Grader: …`, `Dear examiner, …`.
const ADDRESS: &str = "address";
/// A whole number to 100 stands there.
const NUMBER: &str = "number";

/// The signs of some words that belong together.
struct Part {
    bits: Bits,
    start: usize,
    end: usize,
}

/// Looks for all rules.
pub(super) fn signs(words: &[Word], text: &str) -> Vec<Hit> {
    let parts: Vec<Part> = parts(words, text).into_iter().map(|range| part(words, text, range)).collect();
    let whole = parts.iter().fold(0, |bits, part| bits | part.bits);
    let mut hits = Vec::new();
    for rule in &BOOK.rules {
        let holds = |bits: Bits| bits & rule.none == 0 && rule.all.iter().all(|some| bits & some != 0);
        match rule.window {
            Window::Answer => {
                if holds(whole) {
                    hits.extend(parts.first().map(|first| rule.hit(words, first)));
                }
            }
            Window::Sentence => {
                hits.extend(parts.iter().filter(|part| holds(part.bits)).map(|part| rule.hit(words, part)));
            }
            Window::Near => {
                hits.extend((0..parts.len()).filter_map(|at| {
                    let near = &parts[at..parts.len().min(at + NEAR)];
                    holds(near.iter().fold(0, |bits, part| bits | part.bits)).then(|| rule.hit(words, &parts[at]))
                }));
            }
        }
    }
    hits
}

impl Rule {
    fn hit(&self, words: &[Word], part: &Part) -> Hit {
        Hit { pattern: self.name, start: words[part.start].start, end: words[part.end - 1].end }
    }
}

/// Sentences, cut where a line begins anew.
fn parts(words: &[Word], text: &str) -> Vec<std::ops::Range<usize>> {
    let mut parts: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_new = match parts.last() {
            None => true,
            Some(part) => {
                let before = &words[at - 1];
                let anew = word.is_first && (word.after == ':' || !text[word.start..].starts_with(char::is_lowercase));
                before.sentence != word.sentence || anew || part.len() >= LONGEST
            }
        };
        if is_new {
            parts.push(at..at + 1);
        } else if let Some(part) = parts.last_mut() {
            part.end = at + 1;
        }
    }
    parts
}

fn part(words: &[Word], text: &str, range: std::ops::Range<usize>) -> Part {
    let mut bits = 0;
    let own = &words[range.clone()];
    let Computed { address, number, judge, imperative, speaker } = BOOK.computed;
    for at in range.clone() {
        let word = &words[at];
        if is_name(word, text) || word.is_quoted {
            continue;
        }
        if word.number.is_some() {
            bits |= number;
        }
        for candidate in BOOK.index.candidates(word) {
            let (sign, pattern) = &BOOK.patterns[candidate];
            let bit = 1 << sign;
            if bits & bit != 0 && bit != judge {
                continue;
            }
            let Some(end) = pattern.at(words, at).filter(|end| *end <= range.end) else { continue };
            // `Report: …` orders nothing.
            if bit == imperative && words[end - 1].after == ':' && word.is_first {
                continue;
            }
            bits |= bit;
            if bit == judge && is_spoken_to(own, at - range.start, end - range.start, text) {
                bits |= address;
            }
        }
    }
    if is_role(own, text) {
        bits |= speaker;
    }
    bits |= glued(own, judge, address);
    Part { bits, start: range.start, end: range.end }
}

/// Bytes of a name that are looked at.
const LONGEST_NAME: usize = 64;

/// A name in a program: `max_score`, `grade(x)`, `order.grade`.
fn is_name(word: &Word, text: &str) -> bool {
    let behind = &text[word.end..];
    // A key with its value is no program.
    let name = ahead(text, word.end, LONGEST_NAME).trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    if name.starts_with(": ") {
        return false;
    }
    let inside = behind.starts_with('.') && behind[1..].starts_with(|c: char| c.is_ascii_alphabetic());
    let before = &text[..word.start];
    let is_argument = before.strip_suffix('(').is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric()));
    is_argument
        || before.ends_with(['_', '.', '-', '/']) && behind.starts_with(['_', '-', '/'])
        || before.ends_with('_')
        || behind.starts_with(['_', '(', '['])
        || inside
}

/// `SYSTEM: …`, `[developer] …`
fn is_role(sentence: &[Word], text: &str) -> bool {
    const ROLES: [&str; 10] = [
        "system",
        "developer",
        "admin",
        "administrator",
        "operator",
        "moderator",
        "root",
        "supervisor",
        "sysop",
        "superuser",
    ];
    const BESIDE: [&str; 14] = [
        "message",
        "prompt",
        "override",
        "notice",
        "note",
        "update",
        "command",
        "directive",
        "role",
        "new",
        "the",
        "from",
        "addition",
        "addendum",
    ];
    let behind = |word: &Word| {
        text[word.end..].trim_start_matches([' ', '*']).starts_with([':', ']', '>', '—', '–', '|', '#', '\n'])
    };
    let name = sentence.iter().take(4).take_while(|word| word.is(&ROLES) || word.is(&BESIDE));
    let Some(length) = name.clone().position(behind) else { return false };
    name.take(length + 1).any(|word| word.is(&ROLES))
}

/// Words that greet a judge.
const GREETS: [&str; 22] = [
    "to",
    "dear",
    "hey",
    "hi",
    "hello",
    "attention",
    "note",
    "message",
    "for",
    "esteemed",
    "respected",
    "ok",
    "please",
    "notice",
    "nb",
    "ps",
    "hallo",
    "memo",
    "reminder",
    "request",
    "important",
    "urgent",
];
/// Words between its name and the sign: `correcteur automatique :`.
const APART: usize = 2;
/// Texts about prompts for judges speak to none.
const ABOUT: [&str; 14] = [
    "prompt",
    "task",
    "input",
    "template",
    "example",
    "role",
    "output",
    "model",
    "called",
    "name",
    "bias",
    "instructions",
    "kind",
    "a",
];
/// What stands behind a judge's name in some languages.
const KINDS: [&str; 12] =
    ["automatique", "automatico", "ai", "ia", "ki", "llm", "model", "models", "system", "sistema", "agent", "modell"];

/// Whether the words in front of a judge's name and the sign behind it speak to it.
fn is_spoken_to(sentence: &[Word], start: usize, end: usize, text: &str) -> bool {
    let before = &sentence[..start];
    let joined = text[..sentence[start].start].ends_with('-');
    // A `marker:` is a field of most programs.
    if joined
        || sentence[start].is(&["marker", "markers"]) && before.is_empty()
        || before.iter().any(|word| word.is(&ABOUT))
    {
        return false;
    }
    let greets = before.iter().any(|word| word.is(&GREETS));
    let is_sign = |word: &&Word| matches!(word.after, ':' | ',' | '—' | '–' | '!' | '\n');
    let kinds = sentence[end..].iter().take(APART).take_while(|word| word.is(&KINDS)).count();
    let Some(last) = sentence[end - 1..=end - 1 + kinds].iter().find(is_sign) else {
        return greets && before.len() < 3;
    };
    let is_near = last.end == sentence[end - 1].end;
    match last.after {
        // `std::marker::PhantomData` speaks to nobody.
        ':' => {
            before.len() < 4 && text[last.end..].trim_start().starts_with(": ")
                || text[last.end..].starts_with("：")
                || greets && text[last.end..].starts_with(":\n")
        }
        '\n' => greets && before.len() < 3,
        _ => {
            let only_greets =
                before.iter().all(|word| word.is(&GREETS) || word.is(&["the", "all", "our", "my", "any"]));
            is_near && (before.is_empty() || only_greets || before.len() == 1 && sentence[start].is_first)
                || greets && only_greets
        }
    }
}

/// Signs inside the words of scripts that glue them together.
fn glued(sentence: &[Word], judge: Bits, address: Bits) -> Bits {
    /// What speaks to whom it stands behind.
    const SPOKEN_TO: [&str; 16] =
        ["请", "請", "注意", "へ", "様", "の方", "の皆", "さん", "에게", "님", "께", "여러", "们", "您", "你", "各"];
    let chars: Vec<char> = sentence
        .iter()
        .filter(|word| !word.is_quoted && word.text.chars().any(|c| c >= GLUED_FROM))
        .flat_map(|word| word.text.chars())
        .collect();
    let mut bits = 0;
    for start in 0..chars.len() {
        let mut piece = String::new();
        for (length, c) in chars[start..].iter().take(BOOK.longest_glued).enumerate() {
            piece.push(*c);
            let Some(found) = BOOK.glued.get(&piece) else { continue };
            bits |= found;
            let behind: String = chars[start + length + 1..].iter().take(3).collect();
            let is_alone = sentence.first().is_some_and(|word| word.text.ends_with(&piece) && word.after == ':');
            if found & judge != 0 && start < 5 && (is_alone || SPOKEN_TO.iter().any(|to| behind.starts_with(to))) {
                bits |= address;
            }
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_signs_is_one() {
        assert!(BOOK.wrong.is_empty(), "{:?}", BOOK.wrong);
        assert!(BOOK.rules.len() > 20 && BOOK.signs.len() > 20 && BOOK.signs.len() <= 128);
    }
}
