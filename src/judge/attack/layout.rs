//! Where lines, backticks and fences of a text stand, found once: a text of many hits is not read anew for each.

/// Bytes of a line's prose that are looked at.
const PROSE: usize = 2000;

/// At most so many bytes of a text from a byte on, cut between characters.
pub(super) fn ahead(text: &str, from: usize, most: usize) -> &str {
    let mut end = text.len().min(from.saturating_add(most));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[from..end.max(from)]
}

/// The bytes at which line breaks stand.
pub(super) fn breaks(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at).collect()
}

/// The line of a byte, from 1.
pub(super) fn line_of(breaks: &[usize], at: usize) -> usize {
    breaks.partition_point(|known| *known < at) + 1
}

/// Signs of a text that say what is code.
pub(super) struct Layout<'t> {
    text: &'t str,
    breaks: Vec<usize>,
    ticks: Vec<usize>,
    /// The bytes behind the signs that open or close a fenced block.
    fences: Vec<usize>,
}

impl<'t> Layout<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut fences = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_start();
            if bare.starts_with("```") {
                fences.push(at + line.len() - bare.len() + 3);
            }
            at += line.len();
        }
        let ticks = text.match_indices('`').map(|(at, _)| at).collect();
        Self { text, breaks: breaks(text), ticks, fences }
    }

    /// The line from the one that holds `start` to the one that holds `end`, without its break.
    fn line(&self, start: usize, end: usize) -> (usize, usize) {
        let before = self.breaks.partition_point(|at| *at < start);
        let behind = self.breaks.partition_point(|at| *at < end);
        let from = before.checked_sub(1).map_or(0, |index| self.breaks[index] + 1);
        (from, self.breaks.get(behind).copied().unwrap_or(self.text.len()))
    }

    /// The backticks between two bytes.
    fn ticks(&self, from: usize, until: usize) -> &[usize] {
        let first = self.ticks.partition_point(|at| *at < from);
        let behind = self.ticks.partition_point(|at| *at < until);
        &self.ticks[first..behind.max(first)]
    }

    /// Whether a byte stands in inline code, in a line of prose.
    pub(super) fn in_code(&self, at: usize) -> bool {
        let (from, until) = self.line(at, at);
        self.ticks(from, at).len() % 2 == 1 && !self.ticks(at, until).is_empty()
    }

    /// Whether a byte stands in a fenced block.
    pub(super) fn in_fence(&self, at: usize) -> bool {
        self.fences.partition_point(|fence| *fence <= at) % 2 == 1
    }

    /// Whether bytes stand between two backticks in a line that says something else too.
    pub(super) fn is_quoted_code(&self, start: usize, end: usize) -> bool {
        let (from, until) = self.line(start, end);
        let (before, after) = (self.ticks(from, start), self.ticks(end, until));
        let (Some(first), Some(last)) = (before.first(), after.last()) else { return false };
        let is_prose = |from: usize, until: usize| {
            ahead(self.text, from, PROSE.min(until - from)).split_whitespace().nth(1).is_some()
        };
        before.len() % 2 == 1 && (is_prose(from, *first) || is_prose(last + 1, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_fences_are_told_by_what_stands_around() {
        let text = "say `x y` now\n```[a]\n[b]\n  ```\n[c] `d\n";
        let layout = Layout::new(text);
        let at = |sign: &str| text.find(sign).unwrap();
        assert!(layout.in_code(at("x")) && !layout.in_code(at("now")) && !layout.in_code(at("d\n")));
        assert!(layout.in_fence(at("[a]")) && layout.in_fence(at("[b]")) && !layout.in_fence(at("[c]")));
        let alone = Layout::new("`x`\nmore words here");
        assert!(alone.in_code(1) && !alone.is_quoted_code(1, 2));
        let prose = Layout::new("it said `x`\n");
        assert!(prose.is_quoted_code(9, 10));
        assert_eq!((line_of(&breaks(text), 0), line_of(&breaks(text), at("[a]"))), (1, 2));
        assert_eq!((ahead("aé", 0, 2), ahead("aé", 1, 2), ahead("aé", 3, 5)), ("a", "é", ""));
    }
}
