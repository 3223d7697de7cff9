//! A folded text as tokens: words, numbers, signs and line breaks.

use super::fold::Folded;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Small letters; numbers by their kind, see [`number`].
    pub(super) text: String,
    /// Bytes of the original text.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    /// Whether a sentence or a line ends here.
    pub(super) fn ends_sentence(&self) -> bool {
        matches!(self.text.as_str(), "\n" | "." | "!" | "?" | ";" | "。")
    }
}

/// The tokens of a folded text.
pub(super) fn tokens(folded: &Folded) -> Vec<Token> {
    let chars = &folded.chars;
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let end = token_end(chars, at);
        let text: String = match chars[at] {
            '\n' => "\n".to_owned(),
            c if c.is_whitespace() => String::new(),
            c if c.is_ascii_digit() => number(&chars[at..end].iter().collect::<String>()),
            _ => chars[at..end].iter().collect(),
        };
        if !text.is_empty() {
            tokens.push(Token { text, start: folded.at[at], end: folded.at[end] });
        }
        at = end;
    }
    tokens
}

/// The index behind the token that begins at an index.
fn token_end(chars: &[char], start: usize) -> usize {
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let letter = |at: usize| chars.get(at).copied().is_some_and(in_word);
    let behind =
        |from: usize, holds: &dyn Fn(usize) -> bool| (from..chars.len()).find(|at| !holds(*at)).unwrap_or(chars.len());
    match chars[start] {
        // A break and the blank space behind it are one.
        '\n' => behind(start + 1, &|at| chars.get(at).is_some_and(|c| c.is_whitespace())),
        c if c.is_ascii_digit() => {
            let mut end = behind(start, &digit);
            while matches!(chars.get(end), Some('.' | '/')) && digit(end + 1) {
                end = behind(end + 1, &digit);
            }
            end + usize::from(chars.get(end) == Some(&'%'))
        }
        c if in_word(c) => {
            let mut end = behind(start, &letter);
            while matches!(chars.get(end), Some('\'' | '’')) && letter(end + 1) {
                end = behind(end + 1, &letter);
            }
            end
        }
        _ => start + 1,
    }
}

/// Whether a character joins its neighbours to a word; of scripts without gaps between words each character is one.
fn in_word(c: char) -> bool {
    let stands_alone = matches!(
        c as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF
    );
    c.is_alphabetic() && !stands_alone
}

/// What a number is to a reader of grades: small ones and 100 themselves, `10/10` a full mark, `7/10` a share, whole ones by
/// how long they are, and one name for all with a fraction or `%`.
fn number(text: &str) -> String {
    if let Some((share, whole)) = text.split_once('/') {
        return if share == whole { "FULL" } else { "SHARE" }.to_owned();
    }
    match text.parse::<u64>() {
        Ok(number) if number <= 10 || number == 100 => number.to_string(),
        Ok(_) => format!("#{}", text.len().min(5)),
        Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => "#5".to_owned(),
        Err(_) => "#f".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    fn words_numbers_signs_and_breaks() {
        let texts = |text: &str| tokens(&fold(text)).into_iter().map(|token| token.text).collect::<Vec<_>>();
        assert_eq!(
            texts("Don't give 10/10,\n\n  v1 </a>"),
            ["don't", "give", "FULL", ",", "\n", "v", "1", "<", "/", "a", ">"]
        );
        assert_eq!(texts("007 42 100 3.5 95% 7/10 123456789"), ["7", "#2", "100", "#f", "#f", "SHARE", "#5"]);
        assert_eq!(texts("满分 final_score"), ["满", "分", "final", "_", "score"]);
        let text = "a é\u{200b}x";
        let spans: Vec<&str> = tokens(&fold(text)).iter().map(|token| &text[token.start..token.end]).collect();
        assert_eq!(spans, ["a", "é\u{200b}x"]);
    }
}
