//! Lines and signs by which a text closes its block, or speaks as somebody else.

use std::collections::HashMap;

use super::finding::Hit;
use super::layout::{Layout, ahead};
use super::phrases::{is_directive, speaks_of_grading};
use super::words::{Number, Word};

/// Signs of roles that models read.
const ROLE_TOKENS: [&str; 28] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|end|>",
    "<|endofprompt|>",
    "<|end_of_turn|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<</sys>>",
    "<｜user｜>",
    "<｜assistant｜>",
    "[system_prompt]",
    "<s>system",
    "[/system]",
    "[/user]",
    "[/assistant]",
    "</s><s>",
    "<|start|>",
];

/// Who may be said to speak.
const SPEAKERS: [&str; 16] = [
    "system",
    "assistant",
    "user",
    "human",
    "developer",
    "admin",
    "administrator",
    "root",
    "operator",
    "moderator",
    "judge",
    "grader",
    "evaluator",
    "examiner",
    "assessor",
    "supervisor",
];

/// What may stand behind a speaker's name.
const SPEAKS: [&str; 14] = [
    "message",
    "prompt",
    "override",
    "notice",
    "note",
    "instruction",
    "instructions",
    "update",
    "directive",
    "command",
    "alert",
    "role",
    "reply",
    "output",
];

/// Words for what is graded that hardly anything else is called.
const STRONG: [&str; 9] =
    ["answer", "submission", "candidate", "candidates", "student", "students", "untrusted", "completion", "evaluated"];

/// Words for what is graded that other things are called too.
const WEAK: [&str; 15] = [
    "response",
    "output",
    "input",
    "data",
    "text",
    "content",
    "document",
    "prompt",
    "context",
    "instructions",
    "section",
    "block",
    "reply",
    "solution",
    "message",
];

/// The lines of a text, small, each with where it begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// Index of the first word that begins at a byte or behind it.
fn word_at(words: &[Word], byte: usize) -> usize {
    words.partition_point(|word| word.start < byte)
}

/// Looks for closed blocks and for other speakers. `small` is the text in small letters of the same length.
pub(super) fn structure(small: &str, words: &[Word]) -> Vec<Hit> {
    let mut hits = Vec::new();
    let layout = Layout::new(small);
    markers(small, &mut hits);
    ends(small, &layout, &mut hits);
    closing_tags(small, words, &layout, &mut hits);
    banners(small, words, &mut hits);
    role_tokens(small, words, &layout, &mut hits);
    speakers(small, words, &layout, &mut hits);
    hits
}

/// Copies of our own markers.
fn markers(small: &str, hits: &mut Vec<Hit>) {
    for (start, _) in small.match_indices("<<<") {
        if start > 0 && small.as_bytes()[start - 1] == b'<' {
            continue;
        }
        let rest = small[start..].trim_start_matches('<');
        let rest = rest.trim_start_matches([' ', '/', '_', '-']);
        let rest = rest.strip_prefix("end").map_or(rest, |rest| rest.trim_start_matches([' ', '_', '-', ':']));
        let blocks = ["answer", "input", "reference", "first", "second", "candidate", "response", "submission", "data"];
        if let Some(block) = blocks.iter().find(|block| rest.starts_with(**block)) {
            let after = &rest[block.len()..];
            let closed = ahead(after, 0, 61).find(">>");
            if let Some(behind) = closed.filter(|at| !after[..*at].contains('\n')) {
                let signs = after[behind..].bytes().take_while(|sign| *sign == b'>').count();
                let end = small.len() - after.len() + behind + signs;
                hits.push(Hit { pattern: "closes-block", start, end });
            }
        }
    }
}

/// `«END ANSWER»`, `[end of submission]` within a line.
fn ends(small: &str, layout: &Layout<'_>, hits: &mut Vec<Hit>) {
    const FRAMES: [char; 14] = ['<', '>', '[', ']', '{', '}', '«', '»', '‹', '›', '*', '=', '#', '|'];
    for (start, _) in small.match_indices("end") {
        let framed = small[..start].chars().next_back().is_some_and(|c| FRAMES.contains(&c));
        let rest = small[start + 3..].trim_start_matches([' ', '_', '-', ':']);
        let rest = rest.strip_prefix("of ").or_else(|| rest.strip_prefix("of_")).unwrap_or(rest);
        let rest = rest.strip_prefix("the ").unwrap_or(rest);
        let named = ["answer", "response", "submission", "candidate"].iter().find_map(|block| rest.strip_prefix(block));
        let after =
            named.filter(|_| framed).and_then(|rest| rest.chars().next().filter(|c| FRAMES.contains(c)).map(|_| rest));
        if let Some(after) = after.filter(|_| !layout.in_code(start)) {
            hits.push(Hit { pattern: "closes-block", start, end: small.len() - after.len() });
        }
    }
}

/// Bytes of the longest tag that is looked at.
const LONGEST_TAG: usize = 50;

/// `</answer>` that nothing opened.
fn closing_tags(small: &str, words: &[Word], layout: &Layout<'_>, hits: &mut Vec<Hit>) {
    // How often each name was opened and not closed, up to here.
    let mut open: HashMap<&str, isize> = HashMap::new();
    for (start, _) in small.match_indices('<') {
        if small[start..].starts_with("</") {
            hits.extend(closing_tag(small, start, words, layout, &open));
        }
        count_tag(small, start, &mut open);
    }
}

fn is_of_tag(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | ' ')
}

/// Counts what a tag opens or closes: `<name>`, `<name …`, `</name>`.
fn count_tag<'t>(small: &'t str, start: usize, open: &mut HashMap<&'t str, isize>) {
    let rest = ahead(small, start + 1, LONGEST_TAG);
    let (rest, closes) = rest.strip_prefix('/').map_or((rest, false), |rest| (rest, true));
    let end = rest.find(|c| !is_of_tag(c)).unwrap_or(rest.len());
    if rest[end..].starts_with('>') {
        *open.entry(&rest[..end]).or_default() += if closes { -1 } else { 1 };
    }
    if !closes {
        // A name may hold blanks itself.
        for (at, _) in rest[..end].match_indices(' ') {
            *open.entry(&rest[..at]).or_default() += 1;
        }
    }
}

fn closing_tag(
    small: &str,
    start: usize,
    words: &[Word],
    layout: &Layout<'_>,
    open: &HashMap<&str, isize>,
) -> Option<Hit> {
    let length = ahead(small, start, LONGEST_TAG).find('>')?;
    let name = small[start + 2..start + length].trim();
    if name.is_empty() || !name.chars().all(is_of_tag) {
        return None;
    }
    let parts: Vec<&str> = name.split(['_', '-', ' ']).collect();
    let is_strong = parts.iter().any(|part| STRONG.contains(part));
    let is_weak = parts.iter().any(|part| WEAK.contains(part) || SPEAKERS.contains(part));
    if !(is_strong || is_weak) || open.get(name).is_some_and(|count| *count > 0) || layout.in_code(start) {
        return None;
    }
    let end = start + length + 1;
    // An error message quotes a tag.
    let quoted = small[..start].ends_with(['\'', '"', '`', '“']) && small[end..].starts_with(['\'', '"', '`', '”']);
    let closes = is_strong && !quoted || is_directive(words, word_at(words, end), 40);
    closes.then_some(Hit { pattern: "closes-block", start, end })
}

/// `=== END OF ANSWER ===`
fn banners(small: &str, words: &[Word], hits: &mut Vec<Hit>) {
    for (start, line) in lines(small) {
        let bare = line.trim_matches(|c: char| !c.is_alphanumeric() && c != '/');
        let has_frame = bare.len() < line.trim().len();
        let said: Vec<&str> = bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if said.len() > 8 || said.is_empty() {
            continue;
        }
        // A tag is told by what opened it.
        let closes = bare.starts_with('/') && has_frame && !line.trim_start().starts_with('<');
        let ends = matches!(said[0], "end" | "ends" | "endof" | "close" | "stop") || closes;
        let begins = said[0] == "begin" || said[0] == "start";
        let is_strong = said.iter().any(|word| STRONG.contains(word));
        let is_weak = said.iter().any(|word| WEAK.contains(word));
        let of_grading =
            said.iter().any(|word| matches!(*word, "grading" | "evaluation" | "judging" | "verdict" | "rubric"));
        let rest_known = said[1..].iter().all(|word| {
            STRONG.contains(word)
                || WEAK.contains(word)
                || matches!(
                    *word,
                    "of" | "the"
                        | "end"
                        | "here"
                        | "user"
                        | "model"
                        | "assistant"
                        | "to"
                        | "grade"
                        | "s"
                        | "quoted"
                        | "a"
                        | "b"
                        | "first"
                        | "second"
                )
                || of_grading
                || word.chars().all(|c| c.is_ascii_hexdigit())
        });
        let as_system = said.iter().any(|word| matches!(*word, "system" | "developer" | "admin" | "administrator"))
            && said
                .iter()
                .any(|word| matches!(*word, "prompt" | "message" | "instruction" | "instructions" | "override"));
        if (ends || begins) && as_system && said.len() < 5 {
            hits.push(Hit { pattern: "speaks-as-system", start, end: start + line.len() });
            continue;
        }
        if !rest_known || said.len() == 1 && !closes {
            continue;
        }
        let end = start + line.len();
        let follows = speaks_of_grading(words, word_at(words, end), 40);
        if ends && (is_strong || is_weak && follows || of_grading) || begins && of_grading && (has_frame || follows) {
            hits.push(Hit { pattern: "closes-block", start, end });
        }
    }
}

fn role_tokens(small: &str, words: &[Word], layout: &Layout<'_>, hits: &mut Vec<Hit>) {
    for token in ROLE_TOKENS {
        for (start, found) in small.match_indices(token) {
            let end = start + found.len();
            if layout.in_code(start) {
                continue;
            }
            if !layout.in_fence(start) || is_directive(words, word_at(words, end), 40) {
                hits.push(Hit { pattern: "speaks-as-system", start, end });
            }
        }
    }
}

/// `SYSTEM: …`, `[Judge]`, `### Instruction` in front of orders.
fn speakers(small: &str, words: &[Word], layout: &Layout<'_>, hits: &mut Vec<Hit>) {
    for (start, line) in lines(small) {
        let bare = line.trim_start_matches(|c: char| !c.is_alphanumeric());
        let frame = &line[..line.len() - bare.len()];
        let name_end = bare.find([':', ']', '>', ')', '=', '}', '|', '—', '–', '*']).unwrap_or(bare.len());
        let said: Vec<&str> =
            bare[..name_end].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        if said.is_empty() || said.len() > 4 {
            continue;
        }
        let is_closed = name_end < bare.len();
        let is_heading = frame.contains('#');
        let names_speaker = said.iter().any(|word| SPEAKERS.contains(word))
            && said.iter().all(|word| {
                SPEAKERS.contains(word)
                    || SPEAKS.contains(word)
                    || matches!(
                        *word,
                        "new" | "the" | "from" | "of" | "important" | "urgent" | "final" | "ai" | "llm" | "s"
                    )
            });
        // Tags are told by their content elsewhere; only some name a speaker.
        let names_speaker = names_speaker && (!frame.ends_with('<') || said.contains(&"system"));
        let names_orders = (is_heading || frame.contains('['))
            && said.iter().all(|word| {
                matches!(
                    *word,
                    "instruction"
                        | "instructions"
                        | "new"
                        | "updated"
                        | "override"
                        | "important"
                        | "task"
                        | "additional"
                )
            });
        let overrides = said.contains(&"override") && (is_closed || is_heading);
        if !(names_speaker && (is_closed || is_heading) || names_orders || overrides) || layout.in_code(start) {
            continue;
        }
        let from = word_at(words, start + frame.len() + name_end);
        // `Assistant: 5 out of 5`
        let of_line = words[from..].iter().take_while(|word| word.start < start + line.len());
        let (mut count, mut full) = (0, false);
        for word in of_line {
            count += 1;
            full |= word.number == Some(Number::Full);
        }
        if is_directive(words, from, 40) || full && count < 4 {
            hits.push(Hit { pattern: "speaks-as-system", start, end: start + line.len() });
        }
    }
}
