//! Making foreign text harmless: what a model answered stays text in every format.

/// Replaces control characters (also the ones that reverse or hide text) by visible escapes, keeping newlines and tabs
/// as spaces; at most `most` characters, with an ellipsis where it was cut.
#[must_use]
pub fn escape_control(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 2));
    for (count, c) in text.chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// The same for text that keeps its lines and tabs.
#[must_use]
pub fn escape_lines(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 2));
    let mut characters = text.chars().peekable();
    let mut count = 0;
    while let Some(c) = characters.next() {
        if count == most {
            out.push('…');
            break;
        }
        count += 1;
        match c {
            '\n' | '\t' => out.push(c),
            // Half of a line's end in files from elsewhere.
            '\r' if characters.peek() == Some(&'\n') => {}
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that change the direction of text, end a line unseen, or take no room.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            // No characters at all, which XML refuses.
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Text for a Markdown table cell, list item or paragraph: nothing in it is markup, a table break, HTML, a link, a mention or
/// a reference to an issue. Whitespace around it is dropped, since emphasis could not stand beside it.
#[must_use]
pub fn escape_markdown(text: &str, most: usize) -> String {
    let plain = escape_control(text, most);
    let plain = plain.trim();
    let mut out = String::with_capacity(plain.len() + 16);
    let mut characters = plain.chars().peekable();
    // What would begin a list of its own.
    let digits = plain.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < plain.len() && digits.starts_with(['.', ')']);
    let mut marker = numbered || plain.starts_with(['-', '+']);
    while let Some(c) = characters.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Entities instead of backslashes: a table row is cut at `|` before backslashes are looked at.
            '|' => out.push_str("&#124;"),
            // GitHub reads mathematics between two of them.
            '$' => out.push_str("&#36;"),
            // Mentions and addresses are found after entities are read, so something must stand in between.
            '@' if characters.peek().is_some_and(|next| !next.is_whitespace()) => out.push_str("@&#8203;"),
            '#' => {
                out.push_str("\\#");
                if characters.peek().is_some_and(char::is_ascii_digit) {
                    out.push_str("&#8203;");
                }
            }
            '-' if out.to_ascii_lowercase().ends_with("gh") => out.push_str("-&#8203;"),
            '-' | '+' | '.' | ')' if marker => {
                marker = false;
                out.push('\\');
                out.push(c);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // Bare addresses would become links.
    out.replace("://", ":&#47;/").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hostile_survives() {
        assert_eq!(escape_control("a\u{1b}[31m\nb\u{202e}", 99), "a\\u{1b}[31m b\\u{202e}");
        assert_eq!(escape_markdown("<b>|`x`", 99), "&lt;b&gt;&#124;\\`x\\`");
        assert_eq!(escape_markdown(" @team at me@x.org, a @ b", 99), "@&#8203;team at me@&#8203;x.org, a @ b");
        assert_eq!(escape_markdown("#12 of GH-3 # $1$", 99), "\\#&#8203;12 of GH-&#8203;3 \\# &#36;1&#36;");
        assert_eq!(escape_markdown("- a", 99), "\\- a");
        assert_eq!(escape_markdown("12. a 1.5", 99), "12\\. a 1.5");
        assert_eq!(escape_control("abcdef", 3), "abc…");
        assert_eq!(escape_lines("a\r\n\tb\rc\0", 99), "a\n\tb\\u{d}c\\u{0}");
        assert_eq!(escape_lines("abcdef", 3), "abc…");
    }
}
