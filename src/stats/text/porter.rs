//! The Porter (1980) stemmer with the extensions of NLTK, which is what rouge-score stems with.

/// What must hold of the stem for a rule to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Measure above 0.
    Positive,
    /// Measure above 1.
    AboveOne,
    /// Measure above 1, and the stem ends in *s* or *t*.
    AboveOneAfterST,
    /// Measure above 0 with the first letter of the suffix counted to the stem.
    PositiveWithNext,
}

/// A suffix, what replaces it, and when.
type Rule = (&'static str, &'static str, Condition);

const STEP_2: [Rule; 22] = [
    ("ational", "ate", Condition::Positive),
    ("tional", "tion", Condition::Positive),
    ("enci", "ence", Condition::Positive),
    ("anci", "ance", Condition::Positive),
    ("izer", "ize", Condition::Positive),
    ("bli", "ble", Condition::Positive),
    ("alli", "al", Condition::Positive),
    ("entli", "ent", Condition::Positive),
    ("eli", "e", Condition::Positive),
    ("ousli", "ous", Condition::Positive),
    ("ization", "ize", Condition::Positive),
    ("ation", "ate", Condition::Positive),
    ("ator", "ate", Condition::Positive),
    ("alism", "al", Condition::Positive),
    ("iveness", "ive", Condition::Positive),
    ("fulness", "ful", Condition::Positive),
    ("ousness", "ous", Condition::Positive),
    ("aliti", "al", Condition::Positive),
    ("iviti", "ive", Condition::Positive),
    ("biliti", "ble", Condition::Positive),
    ("fulli", "ful", Condition::Positive),
    ("logi", "log", Condition::PositiveWithNext),
];

const STEP_3: [Rule; 7] = [
    ("icate", "ic", Condition::Positive),
    ("ative", "", Condition::Positive),
    ("alize", "al", Condition::Positive),
    ("iciti", "ic", Condition::Positive),
    ("ical", "ic", Condition::Positive),
    ("ful", "", Condition::Positive),
    ("ness", "", Condition::Positive),
];

const STEP_4: [Rule; 19] = [
    ("al", "", Condition::AboveOne),
    ("ance", "", Condition::AboveOne),
    ("ence", "", Condition::AboveOne),
    ("er", "", Condition::AboveOne),
    ("ic", "", Condition::AboveOne),
    ("able", "", Condition::AboveOne),
    ("ible", "", Condition::AboveOne),
    ("ant", "", Condition::AboveOne),
    ("ement", "", Condition::AboveOne),
    ("ment", "", Condition::AboveOne),
    ("ent", "", Condition::AboveOne),
    ("ion", "", Condition::AboveOneAfterST),
    ("ou", "", Condition::AboveOne),
    ("ism", "", Condition::AboveOne),
    ("ate", "", Condition::AboveOne),
    ("iti", "", Condition::AboveOne),
    ("ous", "", Condition::AboveOne),
    ("ive", "", Condition::AboveOne),
    ("ize", "", Condition::AboveOne),
];

/// The stem of a lower-case word of ASCII letters and digits; words of one or two characters are their own stem.
///
/// Characters that are not ASCII vowels count as consonants. Where NLTK departs from the paper: a short list of
/// irregular words, *dies* and *died* give *die*, a final *y* turns to *i* only after a consonant, and a few suffixes
/// more.
///
/// ```
/// use evalgauge::stats::text::porter::stem;
/// assert_eq!(stem("relational"), "relat");
/// assert_eq!(stem("enjoying"), "enjoy");
/// ```
#[must_use]
pub fn stem(word: &str) -> String {
    if let Some(irregular) = irregular(word) {
        return irregular.to_owned();
    }
    let mut word = word.to_owned();
    if word.chars().nth(2).is_some() {
        step_1a(&mut word);
        step_1b(&mut word);
        step_1c(&mut word);
        step_2(&mut word);
        apply(&mut word, &STEP_3);
        apply(&mut word, &STEP_4);
        step_5(&mut word);
    }
    word
}

fn irregular(word: &str) -> Option<&'static str> {
    Some(match word {
        "sky" | "skies" => "sky",
        "dying" => "die",
        "lying" => "lie",
        "tying" => "tie",
        "news" => "news",
        "inning" | "innings" => "inning",
        "outing" | "outings" => "outing",
        "canning" | "cannings" => "canning",
        "howe" => "howe",
        "proceed" => "proceed",
        "exceed" => "exceed",
        "succeed" => "succeed",
        _ => return None,
    })
}

/// Whether each character is a consonant: no vowel, and no *y* after a consonant.
fn consonants(stem: &str) -> impl Iterator<Item = bool> {
    stem.chars().scan(false, |after_consonant, c| {
        let consonant = match c {
            'a' | 'e' | 'i' | 'o' | 'u' => false,
            'y' => !*after_consonant,
            _ => true,
        };
        *after_consonant = consonant;
        Some(consonant)
    })
}

/// The paper's m: how often a vowel is followed by a consonant.
fn measure(stem: &str) -> usize {
    let mut after_vowel = false;
    let mut count = 0;
    for consonant in consonants(stem) {
        count += usize::from(after_vowel && consonant);
        after_vowel = !consonant;
    }
    count
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).any(|consonant| !consonant)
}

fn ends_in_consonant(stem: &str) -> bool {
    consonants(stem).last() == Some(true)
}

/// The doubled consonant at the end of `stem`.
fn double_consonant(stem: &str) -> Option<char> {
    let mut from_end = stem.chars().rev();
    let last = from_end.next()?;
    (from_end.next() == Some(last) && ends_in_consonant(stem)).then_some(last)
}

/// The paper's *o: consonant, vowel, consonant at the end, the last not w, x or y; or just vowel and consonant.
fn ends_in_short_syllable(stem: &str) -> bool {
    let mut last_three = [None; 3];
    for consonant in consonants(stem) {
        last_three = [last_three[1], last_three[2], Some(consonant)];
    }
    match last_three {
        [Some(true), Some(false), Some(true)] => !stem.ends_with(['w', 'x', 'y']),
        [None, Some(false), Some(true)] => true,
        _ => false,
    }
}

/// Applies the first rule whose suffix `word` has; where its condition fails, none.
fn apply(word: &mut String, rules: &[Rule]) {
    let Some(&(suffix, replacement, condition)) = rules.iter().find(|(suffix, ..)| word.ends_with(suffix)) else {
        return;
    };
    let length = word.len() - suffix.len();
    let stem = &word[..length];
    let holds = match condition {
        Condition::Positive => measure(stem) > 0,
        Condition::AboveOne => measure(stem) > 1,
        Condition::AboveOneAfterST => measure(stem) > 1 && stem.ends_with(['s', 't']),
        Condition::PositiveWithNext => measure(&word[..=length]) > 0,
    };
    if holds {
        word.truncate(length);
        word.push_str(replacement);
    }
}

/// Plurals.
fn step_1a(word: &mut String) {
    let cut = if word.ends_with("ies") {
        if word.len() == 4 { 1 } else { 2 }
    } else if word.ends_with("sses") {
        2
    } else {
        usize::from(word.ends_with('s') && !word.ends_with("ss"))
    };
    word.truncate(word.len() - cut);
}

/// Past tenses and participles.
fn step_1b(word: &mut String) {
    if word.ends_with("ied") {
        let cut = if word.len() == 4 { 1 } else { 2 };
        word.truncate(word.len() - cut);
        return;
    }
    if word.ends_with("eed") {
        if measure(&word[..word.len() - 3]) > 0 {
            word.pop();
        }
        return;
    }
    let Some(cut) = [("ed", 2), ("ing", 3)]
        .into_iter()
        .find(|&(suffix, length)| word.ends_with(suffix) && has_vowel(&word[..word.len() - length]))
        .map(|(_, length)| length)
    else {
        return;
    };
    word.truncate(word.len() - cut);
    if ["at", "bl", "iz"].iter().any(|ending| word.ends_with(ending)) {
        word.push('e');
    } else if let Some(doubled) = double_consonant(word) {
        if !matches!(doubled, 'l' | 's' | 'z') {
            word.pop();
        }
    } else if measure(word) == 1 && ends_in_short_syllable(word) {
        word.push('e');
    }
}

/// A final *y* after a consonant.
fn step_1c(word: &mut String) {
    let Some(stem) = word.strip_suffix('y') else { return };
    if stem.chars().nth(1).is_some() && ends_in_consonant(stem) {
        word.pop();
        word.push('i');
    }
}

fn step_2(word: &mut String) {
    // NLTK takes "alli" off first and goes on with what is left.
    while word.strip_suffix("alli").is_some_and(|stem| measure(stem) > 0) {
        word.truncate(word.len() - 2);
    }
    apply(word, &STEP_2);
}

fn step_5(word: &mut String) {
    if let Some(stem) = word.strip_suffix('e') {
        let m = measure(stem);
        if m > 1 || (m == 1 && !ends_in_short_syllable(stem)) {
            word.pop();
        }
    }
    if word.ends_with("ll") && measure(&word[..word.len() - 1]) > 1 {
        word.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_paper() {
        let pairs = [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("cats", "cat"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("bled", "bled"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("troubled", "troubl"),
            ("sized", "size"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("hissing", "hiss"),
            ("fizzed", "fizz"),
            ("failing", "fail"),
            ("filing", "file"),
            ("happy", "happi"),
            ("conditional", "condit"),
            ("vietnamization", "vietnam"),
            ("hopefulness", "hope"),
            ("sensibiliti", "sensibl"),
            ("triplicate", "triplic"),
            ("electrical", "electr"),
            ("adjustment", "adjust"),
            ("adoption", "adopt"),
            ("bowdlerize", "bowdler"),
            ("rate", "rate"),
            ("cease", "ceas"),
            ("controll", "control"),
            ("roll", "roll"),
        ];
        for (word, expected) in pairs {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    #[test]
    fn where_nltk_departs() {
        let pairs = [
            ("dies", "die"),
            ("died", "die"),
            ("spied", "spi"),
            ("flies", "fli"),
            ("enjoy", "enjoy"),
            ("spy", "spi"),
            ("by", "by"),
            ("dying", "die"),
            ("news", "news"),
            ("skies", "sky"),
            ("radically", "radic"),
            ("geology", "geolog"),
            ("theology", "theolog"),
            ("hopefully", "hope"),
            ("ally", "alli"),
            ("owed", "owe"),
        ];
        for (word, expected) in pairs {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    #[test]
    fn odd_words_do_not_panic() {
        for word in ["", "s", "ss", "sss", "ies", "ied", "eed", "ing", "yyy", "2nds", "éing", "naïvely", "alliallialli"]
        {
            assert!(stem(word).len() <= word.len() + 1, "{word}");
        }
    }
}
