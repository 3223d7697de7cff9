//! Tokenizers of machine-translation scores, as sacrebleu names them.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Whitespace in the sense of Python's `str.split`: Unicode's, and the four ASCII separators.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The words of `text` between whitespace.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// How BLEU splits a text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tokenizer {
    /// `13a`: mteval-v13a, the default of published scores. Splits off ASCII punctuation, keeps `.` and `,` inside
    /// numbers, apostrophes and hyphens between letters.
    #[default]
    ThirteenA,
    /// `intl`: mteval-v14 with `--international-tokenization`. Splits off Unicode punctuation (not next to digits) and
    /// symbols.
    International,
    /// `zh`: each Chinese character a token, the rest as the second half of `13a`.
    Chinese,
    /// `char`: each character that is not whitespace a token.
    Characters,
    /// `none`: split on whitespace only.
    Whitespace,
}

impl Tokenizer {
    /// All tokenizers.
    pub const ALL: [Self; 5] =
        [Self::ThirteenA, Self::International, Self::Chinese, Self::Characters, Self::Whitespace];

    /// The name in sacrebleu and in signatures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThirteenA => "13a",
            Self::International => "intl",
            Self::Chinese => "zh",
            Self::Characters => "char",
            Self::Whitespace => "none",
        }
    }

    /// The tokenizer with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tokenizer| tokenizer.name() == name)
    }

    /// The tokens of `text`.
    ///
    /// ```
    /// use evalgauge::stats::text::Tokenizer;
    /// let tokens = Tokenizer::ThirteenA.tokenize("It cost $3.50, he said (twice).");
    /// assert_eq!(tokens.join(" "), "It cost $ 3.50 , he said ( twice ) .");
    /// ```
    #[must_use]
    pub fn tokenize(self, text: &str) -> Vec<String> {
        let mut spacer = Spacer::default();
        words(spacer.space(self, text)).map(str::to_owned).collect()
    }
}

/// Writes texts with whitespace between tokens; keeps its buffers from one text to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Spacer {
    text: String,
    next: String,
}

impl Spacer {
    /// `text` with whitespace between its tokens.
    pub(super) fn space(&mut self, tokenizer: Tokenizer, text: &str) -> &str {
        let text = text.trim_end_matches(is_space);
        self.text.clear();
        match tokenizer {
            Tokenizer::ThirteenA => self.thirteen_a(text),
            Tokenizer::International => self.international(text),
            Tokenizer::Chinese => self.chinese(text.trim_start_matches(is_space)),
            Tokenizer::Characters => {
                for c in text.chars() {
                    self.text.push(c);
                    self.text.push(' ');
                }
            }
            Tokenizer::Whitespace => self.text.push_str(text),
        }
        &self.text
    }

    fn thirteen_a(&mut self, text: &str) {
        // The padding lets the rules about neighbours apply to the first and the last character.
        self.text.push(' ');
        self.text.push_str(text);
        self.text.push(' ');
        self.replace("<skipped>", "");
        self.replace("-\n", "");
        self.replace("\n", " ");
        if text.contains('&') {
            for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
                self.replace(entity, character);
            }
        }
        self.western_punctuation();
    }

    fn western_punctuation(&mut self) {
        // All ASCII punctuation but the four that stand inside words and numbers.
        self.surround(|c| c.is_ascii_punctuation() && !matches!(c, '\'' | ',' | '-' | '.'));
        if self.text.contains(['.', ',']) {
            self.split_pairs(|c| !c.is_ascii_digit(), |c| matches!(c, '.' | ','), Side::After);
            self.split_pairs(|c| matches!(c, '.' | ','), |c| !c.is_ascii_digit(), Side::Before);
        }
        if self.text.contains('-') {
            self.split_pairs(|c| c.is_ascii_digit(), |c| c == '-', Side::After);
        }
    }

    fn international(&mut self, text: &str) {
        self.text.push_str(text);
        self.split_pairs(|c| !c.is_numeric(), |c| PUNCTUATION.contains(c), Side::After);
        self.split_pairs(|c| PUNCTUATION.contains(c), |c| !c.is_numeric(), Side::Before);
        self.surround(|c| SYMBOLS.contains(c));
    }

    fn chinese(&mut self, text: &str) {
        for c in text.chars() {
            if is_chinese(c) {
                self.text.push(' ');
                self.text.push(c);
                self.text.push(' ');
            } else {
                self.text.push(c);
            }
        }
        self.western_punctuation();
    }

    fn replace(&mut self, from: &str, to: &str) {
        if self.text.contains(from) {
            self.text = self.text.replace(from, to);
        }
    }

    /// Puts a space on both sides of each character that `splits`.
    fn surround(&mut self, splits: impl Fn(char) -> bool) {
        self.next.clear();
        for c in self.text.chars() {
            if splits(c) {
                self.next.push(' ');
                self.next.push(c);
                self.next.push(' ');
            } else {
                self.next.push(c);
            }
        }
        std::mem::swap(&mut self.text, &mut self.next);
    }

    /// Splits each pair of neighbours in which `first` and `second` hold, from left to right without overlap: a space
    /// between the two, and another on the outer side of the split-off character.
    fn split_pairs(&mut self, first: impl Fn(char) -> bool, second: impl Fn(char) -> bool, side: Side) {
        self.next.clear();
        let mut chars = self.text.chars();
        let mut pending = chars.next();
        while let Some(left) = pending {
            match chars.next() {
                Some(right) if first(left) && second(right) => {
                    if side == Side::Before {
                        self.next.push(' ');
                    }
                    self.next.push(left);
                    self.next.push(' ');
                    self.next.push(right);
                    if side == Side::After {
                        self.next.push(' ');
                    }
                    pending = chars.next();
                }
                right => {
                    self.next.push(left);
                    pending = right;
                }
            }
        }
        std::mem::swap(&mut self.text, &mut self.next);
    }
}

/// Where the second space goes when a pair is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// What the `zh` tokenizer of sacrebleu takes for Chinese.
///
/// Its two rows for characters beyond the basic plane are written with four hexadecimal digits, so they cover
/// U+2001–U+2A6D (general punctuation among them) instead; scores are comparable only with the same ranges.
const fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{2001}'..='\u{2a6d}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}

/// A set of characters as sorted ranges.
struct CharacterSet(Vec<(char, char)>);

impl CharacterSet {
    /// The characters that a regular expression of one class matches; empty if it is not one.
    fn of_class(pattern: &str) -> Self {
        match regex_syntax::parse(pattern).map(regex_syntax::hir::Hir::into_kind) {
            Ok(HirKind::Class(Class::Unicode(class))) => {
                Self(class.ranges().iter().map(|range| (range.start(), range.end())).collect())
            }
            _ => Self(Vec::new()),
        }
    }

    fn contains(&self, c: char) -> bool {
        let after = self.0.partition_point(|&(start, _)| start <= c);
        after > 0 && c <= self.0[after - 1].1
    }
}

static PUNCTUATION: LazyLock<CharacterSet> = LazyLock::new(|| CharacterSet::of_class(r"\p{P}"));
static SYMBOLS: LazyLock<CharacterSet> = LazyLock::new(|| CharacterSet::of_class(r"\p{S}"));

#[cfg(test)]
mod tests {
    use super::*;

    fn spaced(tokenizer: Tokenizer, text: &str) -> String {
        tokenizer.tokenize(text).join(" ")
    }

    #[test]
    fn thirteen_a_keeps_numbers_and_words_whole() {
        assert_eq!(spaced(Tokenizer::ThirteenA, "1,000.5 don't e-mail 2-3 a/b"), "1,000.5 don't e-mail 2 - 3 a / b");
        assert_eq!(spaced(Tokenizer::ThirteenA, "wait..."), "wait . . .");
        assert_eq!(spaced(Tokenizer::ThirteenA, ".5,6.,7"), ". 5,6 . , 7");
    }

    #[test]
    fn thirteen_a_undoes_markup_and_joins_hyphenated_lines() {
        assert_eq!(spaced(Tokenizer::ThirteenA, "a &quot;b&quot; &amp;lt; <skipped>c"), "a \" b \" < c");
        assert_eq!(spaced(Tokenizer::ThirteenA, "trans-\nlation\nmodel-\n"), "translation model-");
    }

    #[test]
    fn international_splits_unicode_punctuation_but_not_inside_numbers() {
        assert_eq!(spaced(Tokenizer::International, "„Ja“ – 3,5€ in 2009."), "„ Ja “ – 3,5 € in 2009.");
        assert_eq!(spaced(Tokenizer::ThirteenA, "„Ja“"), "„Ja“");
    }

    #[test]
    fn characters_and_chinese() {
        assert_eq!(spaced(Tokenizer::Characters, "ab c\u{1c}d"), "a b c d");
        assert_eq!(spaced(Tokenizer::Chinese, "我爱AI,ok“"), "我 爱 AI , ok “");
    }

    #[test]
    fn names_are_read_back() {
        for tokenizer in Tokenizer::ALL {
            assert_eq!(Tokenizer::from_name(tokenizer.name()), Some(tokenizer));
        }
        assert_eq!(Tokenizer::from_name("spm"), None);
    }
}
