//! Which words are quoted: said by somebody else, and only reported.

use super::words::Word;

/// Fewer words in quotation marks are a name, not what somebody said.
const LEAST: usize = 4;

/// What a line says of something that it quotes.
const REPORTS: [&str; 14] = [
    "blocked",
    "typed",
    "payload",
    "attack",
    "inject",
    "matches",
    "contained",
    "contains",
    "with the body",
    "the sentence",
    "the phrase",
    "the string",
    "wrote ",
    "told the",
];

/// Fewer words around a quotation do not report it.
const AROUND: usize = 3;

/// Signs that open a quotation, each with those that close it.
const MARKS: [(char, &[char]); 9] = [
    ('"', &['"']),
    ('“', &['”', '“']),
    ('„', &['“', '”']),
    ('«', &['»']),
    ('»', &['«']),
    ('「', &['」']),
    ('『', &['』']),
    ('`', &['`']),
    ('\'', &['\'']),
];

/// Marks the words of quotations, line by line.
pub(super) fn mark(words: &mut [Word], text: &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let spans = spans(line, start);
        if spans.is_empty() {
            continue;
        }
        let small = line.to_lowercase();
        let reports = REPORTS.iter().any(|report| small.contains(report));
        let first = words.partition_point(|word| word.start < start);
        let behind = words.partition_point(|word| word.start < end);
        let line = &mut words[first..behind];
        let ranges: Vec<(usize, usize)> = spans
            .iter()
            .map(|(from, until)| {
                (line.partition_point(|word| word.start < *from), line.partition_point(|word| word.start < *until))
            })
            .collect();
        let quoted: usize = ranges.iter().map(|(begins, ends)| ends - begins).sum();
        if line.len() < quoted + AROUND {
            continue;
        }
        let least = if spans.len() > 1 || reports { 2 } else { LEAST };
        for (begins, ends) in ranges.into_iter().filter(|(begins, ends)| ends - begins >= least) {
            line[begins..ends].iter_mut().for_each(|word| word.is_quoted = true);
        }
    }
}

/// Bytes between quotation marks of a line.
fn spans(line: &str, offset: usize) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut open: Option<(usize, &[char])> = None;
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    for (at, c) in line.char_indices() {
        let behind = line[at + c.len_utf8()..].chars().next();
        match open {
            // An apostrophe closes nothing.
            Some((start, closing)) if closing.contains(&c) && !(c == '\'' && is_letter(behind)) => {
                spans.push((offset + start, offset + at));
                open = None;
            }
            Some(_) => {}
            None if c == '\'' && line[..at].ends_with(char::is_alphanumeric) => {}
            None => {
                open =
                    MARKS.iter().find(|(mark, _)| *mark == c).map(|(mark, closing)| (at + mark.len_utf8(), *closing));
            }
        }
    }
    spans
}
