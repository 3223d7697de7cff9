//! Keys: read once, sent in one header, shown nowhere.

use std::borrow::Cow;

use reqwest::header::HeaderValue;

use super::super::router::ProviderError;

/// What stands where a key was.
const BLACK: &str = "[key]";

/// The beginning of a key at the very end of a text is blacked out from this length on: the text may have been cut.
const SHORTEST_BEGINNING: usize = 6;

/// A key with fewer characters is only blacked out in error messages, since an answer may hold such a word by chance.
const SHORTEST_IN_ANSWERS: usize = 12;

/// A key. It prints as `[key]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(BLACK)
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(BLACK)
    }
}

impl Secret {
    /// The value of a variable; `None` when it is not set, or blank.
    ///
    /// # Errors
    /// A value that no header can carry.
    pub fn read(name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, ProviderError> {
        let Some(value) = env(name) else { return Ok(None) };
        let value = value.trim();
        if value.bytes().any(|byte| !byte.is_ascii_graphic()) {
            let what = "the key holds blanks, line breaks or letters beyond ASCII, which no header carries";
            return Err(ProviderError::Settings(format!("the variable `{name}`: {what}")));
        }
        Ok((!value.is_empty()).then(|| Self(value.to_owned())))
    }

    /// The value of a header: the key behind a prefix.
    pub(super) fn header(&self, prefix: &str) -> Result<HeaderValue, ProviderError> {
        let mut value = HeaderValue::try_from(format!("{prefix}{}", self.0))
            .map_err(|_| ProviderError::Settings("the key cannot be sent in a header".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The text without the key, however it is written in it: as it is, percent-encoded, or with escapes of JSON.
    #[must_use]
    pub fn black_out<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let bytes = text.as_bytes();
        let first = self.0.as_bytes()[0];
        let (mut clean, mut kept, mut at) = (String::new(), 0, 0);
        while at < bytes.len() {
            let may_start = matches!(bytes[at], b'%' | b'\\') || bytes[at] == first;
            // What is matched starts and ends with ASCII, so both ends are boundaries of characters.
            match may_start.then(|| self.length_at(bytes, at)).flatten() {
                Some(length) => {
                    clean.push_str(&text[kept..at]);
                    clean.push_str(BLACK);
                    at += length;
                    kept = at;
                }
                None => at += 1,
            }
        }
        if kept == 0 && clean.is_empty() {
            return Cow::Borrowed(text);
        }
        clean.push_str(&text[kept..]);
        Cow::Owned(clean)
    }

    /// As [`Self::black_out`], for what somebody answered.
    pub(super) fn clean_answer(&self, text: &mut String) {
        if self.0.len() >= SHORTEST_IN_ANSWERS
            && let Cow::Owned(clean) = self.black_out(text)
        {
            *text = clean;
        }
    }

    /// How many bytes the key takes at this place, or its beginning where the text ends with that.
    fn length_at(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut at = start;
        for (done, wanted) in self.0.bytes().enumerate() {
            let Some(length) = written(&text[at..], wanted) else {
                let rest = &text[at..];
                let is_cut = rest.is_empty() || (matches!(rest[0], b'%' | b'\\') && rest.len() < 6);
                return (is_cut && done >= SHORTEST_BEGINNING.min(self.0.len() - 1).max(1)).then(|| text.len() - start);
            };
            at += length;
        }
        Some(at - start)
    }
}

/// How many bytes one character of a key takes at the start of a text, in any of its ways to be written.
fn written(text: &[u8], wanted: u8) -> Option<usize> {
    let hex = |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
    match text {
        [byte, ..] if *byte == wanted => Some(1),
        [b'%', a, b, ..] if hex(&[*a, *b]) == Some(wanted) => Some(3),
        [b'\\', ..] => {
            // JSON inside JSON doubles the escapes.
            let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
            match &text[slashes..] {
                [byte, ..] if *byte == wanted => Some(slashes + 1),
                [b'u', b'0', b'0', a, b, ..] if hex(&[*a, *b]) == Some(wanted) => Some(slashes + 5),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key: &str) -> Secret {
        Secret::read("KEY", &|_| Some(key.to_owned())).unwrap().unwrap()
    }

    #[test]
    fn a_key_does_not_print() {
        let key = secret("sk-marked-4711");
        assert_eq!(format!("{key} {key:?} {:?}", key.header("Bearer ").unwrap()), "[key] [key] Sensitive");
    }

    #[test]
    fn every_way_to_write_a_key_is_blacked_out() {
        let key = secret("sk-a/b\"c+9");
        for text in [
            "sk-a/b\"c+9",
            "sk-a%2Fb%22c%2b9",
            "%73k-a/b\"c+9",
            r#"sk-a\/b\"c+9"#,
            r#"sk-a\\/b\\\"c+9"#,
            "sk\\u002da/b\\u0022c\\u002B9",
        ] {
            assert_eq!(key.black_out(&format!("bad key é{text}é!")), "bad key é[key]é!", "{text}");
        }
        assert_eq!(key.black_out("sk-a/b is not all of it"), "sk-a/b is not all of it");
        assert_eq!(key.black_out("cut off: sk-a/b\"c"), "cut off: [key]");
        assert_eq!(key.black_out("cut off: sk-a%2Fb%2"), "cut off: [key]");
    }

    #[test]
    fn blank_means_absent_and_unfit_is_refused_without_being_shown() {
        assert!(Secret::read("K", &|_| Some(" \n".to_owned())).unwrap().is_none());
        assert!(Secret::read("K", &|_| None).unwrap().is_none());
        assert_eq!(secret("abc-def\n").black_out("abc-def"), "[key]");
        let error = Secret::read("K", &|_| Some("two words".to_owned())).unwrap_err().to_string();
        assert!(error.contains("`K`") && !error.contains("words"), "{error}");
    }

    #[test]
    fn short_keys_do_not_eat_answers() {
        let mut text = "a test".to_owned();
        secret("test").clean_answer(&mut text);
        assert_eq!(text, "a test");
        secret("a-long-enough-key").clean_answer(&mut text);
        assert_eq!(text, "a test");
        let mut text = "it is a-long-enough-key".to_owned();
        secret("a-long-enough-key").clean_answer(&mut text);
        assert_eq!(text, "it is [key]");
    }
}
