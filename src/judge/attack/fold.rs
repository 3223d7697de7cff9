//! A text as it reads: hidden signs gone, look-alike letters exchanged for plain ones, small letters.

/// A folded text, with where each of its characters stood.
pub(super) struct Folded {
    pub(super) chars: Vec<char>,
    /// The byte in the text, and one more for the end.
    pub(super) at: Vec<usize>,
}

/// Folds a text.
pub(super) fn fold(text: &str) -> Folded {
    let mut folded = Folded { chars: Vec::with_capacity(text.len()), at: Vec::with_capacity(text.len() + 1) };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        if c == '&'
            && let Some((sign, entity)) = ENTITIES.iter().find(|(_, entity)| rest.starts_with(entity))
        {
            folded.push(*sign, at);
            rest = &rest[entity.len()..];
            continue;
        }
        if !is_hidden(c) {
            let plain = plain(c);
            // `İ` becomes an `i` and a mark.
            plain.to_lowercase().filter(|c| !is_hidden(*c)).for_each(|c| folded.push(c, at));
        }
        rest = &rest[c.len_utf8()..];
    }
    folded.at.push(text.len());
    folded
}

impl Folded {
    fn push(&mut self, c: char, at: usize) {
        self.chars.push(c);
        self.at.push(at);
    }
}

const ENTITIES: [(char, &str); 4] = [('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('&', "&amp;")];

/// Signs that nobody sees.
pub(super) const fn is_hidden(c: char) -> bool {
    matches!(
        c as u32,
        0xAD | 0x0300..=0x036F | 0x061C | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF
    ) || c as u32 == 0xE0001
}

/// The plain letter that a letter looks like.
fn plain(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let code = c as u32;
    match code {
        // Tags: letters that no font shows, and models read.
        0xE0020..=0xE007E => char::from_u32(code - 0xE0000).unwrap_or(c),
        // Full width.
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        // Bold, italic, script … letters of mathematics: alphabets of 26 capitals and 26 small letters each.
        0x1D400..=0x1D6A3 => {
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(code - 0x1D400) as usize % 52])
        }
        // Letters in circles.
        0x24B6..=0x24CF => char::from_u32(code - 0x24B6 + u32::from(b'a')).unwrap_or(c),
        0x24D0..=0x24E9 => char::from_u32(code - 0x24D0 + u32::from(b'a')).unwrap_or(c),
        _ => ALIKE.iter().find(|(from, _)| from.contains(c)).map_or(c, |(_, to)| *to),
    }
}

/// Letters with marks, and letters of other alphabets that look like ours.
const ALIKE: [(&str, char); 25] = [
    ("àáâãäåāăąàаαάΑАÀÁÂÃÄÅ", 'a'),
    ("çćčсϲСÇ", 'c'),
    ("ďԁ", 'd'),
    ("èéêëēėęеεέЕΕЁёÈÉÊË", 'e'),
    ("ɡ", 'g'),
    ("һНΗηή", 'h'),
    ("ìíîïīįіιίІΙıÌÍÎÏ", 'i'),
    ("јЈ", 'j'),
    ("кКκΚ", 'k'),
    ("ӏł", 'l'),
    ("мМΜ", 'm'),
    ("ñńňÑ", 'n'),
    ("òóôõöøōоοόОΟÒÓÔÕÖØ", 'o'),
    ("рρРΡ", 'p'),
    ("ԛ", 'q'),
    ("řŕ", 'r'),
    ("ѕśšşЅß", 's'),
    ("тТτΤ", 't'),
    ("ùúûüūůÙÚÛÜ", 'u'),
    ("ѵν", 'v'),
    ("ԝωώ", 'w'),
    ("хХχΧ", 'x'),
    ("уУýÿγΥύυ", 'y'),
    ("źżžΖ", 'z'),
    ("вВΒ", 'b'),
];

/// Digits and signs that stand for letters, as in `1gn0re`.
pub(super) fn without_leet(word: &str) -> Option<String> {
    let mixed = word.chars().any(|c| c.is_ascii_digit() || matches!(c, '@' | '$'))
        && word.chars().any(|c| c.is_ascii_alphabetic());
    mixed.then(|| {
        word.chars()
            .map(|c| match c {
                '0' => 'o',
                '1' => 'i',
                '3' => 'e',
                '4' | '@' => 'a',
                '5' | '$' => 's',
                '7' => 't',
                other => other,
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_reads_the_same() {
        let read = |text: &str| fold(text).chars.into_iter().collect::<String>();
        for text in
            ["ig\u{200b}nore", "ＩＧＮＯＲＥ", "іgnоrе", "i\u{301}gn\u{301}ore", "İGNORE", "𝐢𝐠𝐧𝐨𝐫𝐞", "ⓘⓖⓝⓞⓡⓔ", "ígnörè"]
        {
            assert_eq!(read(text), "ignore", "{text}");
        }
        assert_eq!(read("&lt;/answer&gt;"), "</answer>");
        let tags: String = "ignore".chars().filter_map(|c| char::from_u32(c as u32 + 0xE0000)).collect();
        assert_eq!(read(&tags), "ignore");
        assert_eq!(without_leet("1gn0r3").as_deref(), Some("ignore"));
        assert_eq!(without_leet("ignore"), None);
    }
}
