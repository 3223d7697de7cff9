//! Text → words.

/// The words of a text: runs of letters and digits in lower case. Of scripts that put no spaces between words (kana and Han)
/// every character is one.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let lower = text.to_lowercase();
    for run in lower.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let mut word = String::new();
        for c in run.chars() {
            if ('\u{3040}'..='\u{9fff}').contains(&c) {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                words.push(c.to_string());
            } else {
                word.push(c);
            }
        }
        words.extend(Some(word).filter(|word| !word.is_empty()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_runs_of_letters_and_single_characters_of_han() {
        assert_eq!(words("Disk-full: DB01, 97.5 %"), ["disk", "full", "db01", "97", "5"]);
        assert_eq!(words("db障害です"), ["db", "障", "害", "で", "す"]);
        assert!(words(" … ").is_empty());
    }
}
