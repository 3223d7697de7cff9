//! What must not get from production into a set: addresses, numbers and keys, each found by a rule that a person can read.
//!
//! A rule looks at a place in a text where what it looks for may begin and says how much of it that is. Every find is replaced by
//! the rule's name in brackets, and counted.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The longest thing that is looked for, but for blocks with a private key.
const LONGEST: usize = 16 << 10;

/// A kind of thing that is blacked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A PEM block with a private key.
    PrivateKey,
    /// A key that shows by its first letters whose it is.
    ApiKey,
    /// A JSON web token, what follows `Bearer`, or a long text of random letters.
    Token,
    /// An e-mail address.
    Email,
    /// An IBAN whose check digits are right.
    Iban,
    /// A card number of 13 to 19 digits that passes Luhn's check.
    Card,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A telephone number.
    Phone,
}

impl Rule {
    /// Every rule, in the order in which they are tried: the first that finds something at a place takes it.
    pub const ALL: [Self; 8] =
        [Self::PrivateKey, Self::ApiKey, Self::Token, Self::Email, Self::Iban, Self::Card, Self::Ip, Self::Phone];

    /// Its name, which also stands in place of what it finds.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "private-key",
            Self::ApiKey => "api-key",
            Self::Token => "token",
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Card => "card",
            Self::Ip => "ip",
            Self::Phone => "phone",
        }
    }

    /// The rule of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// How many bytes at a place in a text are what it looks for.
    fn at(self, whole: &str, place: usize) -> Option<usize> {
        let (before, text) = whole.split_at(place);
        let last = before.chars().next_back();
        let in_word = last.is_some_and(is_word);
        let may_begin = match self {
            Self::PrivateKey => return private_key(text),
            Self::ApiKey => !last.is_some_and(|c| c.is_ascii_alphanumeric()) || ends_escape(before),
            Self::Token | Self::Email => !in_word,
            Self::Iban => !last.is_some_and(|c| c.is_ascii_alphanumeric()),
            Self::Card | Self::Ip | Self::Phone => !last.is_some_and(|c| c.is_ascii_digit()),
        };
        if !may_begin {
            return None;
        }
        // Nothing else is longer, and a text of a million hyphens is looked at once, not a million times.
        let text = &text[..text.floor_char_boundary(LONGEST)];
        match self {
            Self::PrivateKey => None,
            Self::ApiKey => api_key(text),
            Self::Token => token(text),
            Self::Email => email(text),
            Self::Iban => iban(text),
            Self::Card => card(text),
            // In a word only one of version 4: `::f64` in `std::f64` is no address, though it could be.
            Self::Ip if in_word => ip(&text[..text.floor_char_boundary(24)]).filter(|&end| !text[..end].contains(':')),
            Self::Ip => ip(text),
            Self::Phone => phone(text),
        }
    }
}

/// Blacks out, and counts by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redactor {
    rules: Vec<Rule>,
    /// How often each rule found something.
    pub found: BTreeMap<Rule, usize>,
}

impl Redactor {
    /// With every rule but some.
    #[must_use]
    pub fn without(left: &[Rule]) -> Self {
        let rules = Rule::ALL.into_iter().filter(|rule| !left.contains(rule)).collect();
        Self { rules, found: BTreeMap::new() }
    }

    /// A text without what the rules find.
    pub fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut place = 0;
        while let Some(c) = text[place..].chars().next() {
            let starts = is_word(c) || matches!(c, '+' | '(' | '-' | ':');
            let hit = self.rules.iter().filter(|_| starts).find_map(|rule| Some((*rule, rule.at(text, place)?)));
            if let Some((rule, length)) = hit {
                *self.found.entry(rule).or_default() += 1;
                out.push_str(&format!("[{}]", rule.name()));
                place += length;
            } else {
                out.push(c);
                place += c.len_utf8();
            }
        }
        out
    }

    /// A value whose texts, and the names of whose fields, are without what the rules find.
    pub fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let (mut redacted, mut alike) = (Map::new(), BTreeMap::<String, usize>::new());
                for (name, value) in fields {
                    let base = self.text(name);
                    let mut name = base.clone();
                    // Two names that are alike now are still two fields.
                    while redacted.contains_key(&name) {
                        let count = alike.entry(base.clone()).or_insert(1);
                        *count += 1;
                        name = format!("{base}-{count}");
                    }
                    redacted.insert(name, self.value(value));
                }
                Value::Object(redacted)
            }
            // A number may be that of a card or of a telephone.
            Value::Number(number) => {
                let text = number.to_string();
                let redacted = self.text(&text);
                if redacted == text { value.clone() } else { Value::String(redacted) }
            }
            other => other.clone(),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a text ends with an escape that is written out: `\n`, `\t`, `\r`, `%20`.
fn ends_escape(text: &str) -> bool {
    match text.as_bytes() {
        [.., b'\\', b'n' | b't' | b'r'] => true,
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}

/// How many bytes at the beginning are of a kind.
fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// Whether a word ends here.
fn ends(text: &str) -> bool {
    !text.starts_with(is_word)
}

fn private_key(text: &str) -> Option<usize> {
    let body = text.strip_prefix("-----BEGIN ")?;
    let title = body.split_once("-----")?.0;
    if !title.ends_with("PRIVATE KEY") {
        return None;
    }
    // A block that is cut off has no end: then all that follows goes.
    let end = format!("-----END {title}-----");
    Some(text.find(&end).map_or(text.len(), |at| at + end.len()))
}

/// The first letters of keys, and how many letters follow at the least.
const KEYS: &[(&str, usize)] = &[
    ("sk-", 16),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("npm_", 30),
    ("pypi-", 30),
    ("hf_", 30),
];

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn api_key(text: &str) -> Option<usize> {
    let (prefix, least) = KEYS.iter().find(|(prefix, _)| text.starts_with(prefix))?;
    let length = run(&text[prefix.len()..], is_key);
    (length >= *least).then_some(prefix.len() + length)
}

fn token(text: &str) -> Option<usize> {
    const LEAST: usize = 32;
    if text.starts_with("eyJ") {
        let length = run(text, |c| is_key(c) || c == '.');
        let length = text[..length].trim_end_matches('.').len();
        if text[..length].matches('.').count() == 2 && length >= LEAST {
            return Some(length);
        }
    }
    if text.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("bearer ")) {
        let length = run(&text[7..], |c| is_key(c) || matches!(c, '.' | '~' | '+' | '/' | '='));
        return (length >= 16).then_some(7 + length);
    }
    // Letters and digits mixed, as no word is; a plain number is not.
    let length = run(text, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '='));
    let word = &text[..length];
    let longest = word.split(['-', '/', '_', '+']).map(str::len).max().unwrap_or_default();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    (longest >= LEAST && digits >= 4 && letters >= 4).then_some(length)
}

fn email(text: &str) -> Option<usize> {
    let name = run(text, |c| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-'));
    let domain = text[name..].strip_prefix('@').filter(|_| name > 0)?;
    let length = run(domain, |c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    let domain = domain[..length].trim_end_matches(['.', '-']);
    let (_, top) = domain.rsplit_once('.')?;
    (top.chars().count() >= 2 && !domain.starts_with('.')).then_some(name + 1 + domain.len())
}

fn iban(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 15 && bytes[..2].iter().all(u8::is_ascii_uppercase);
    if !shape || !bytes[2..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    // In groups of four, or without spaces. The longest beginning whose check digits are right.
    let mut letters = String::new();
    let mut found = None;
    for (at, byte) in bytes.iter().enumerate().take(42) {
        match byte {
            b' ' if letters.len().is_multiple_of(4) => continue,
            b'0'..=b'9' | b'A'..=b'Z' => letters.push(*byte as char),
            _ => break,
        }
        if (15..=34).contains(&letters.len()) && ends(&text[at + 1..]) && is_iban(&letters) {
            found = Some(at + 1);
        }
    }
    found
}

/// ISO 7064: the digits, with the first four at the end, leave 1 when divided by 97.
fn is_iban(letters: &str) -> bool {
    let (head, tail) = letters.split_at(4);
    let rest = tail.bytes().chain(head.bytes()).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}

fn card(text: &str) -> Option<usize> {
    // The longest beginning that passes: a number of something else may follow after a space.
    let (mut digits, mut found, mut separated) = (Vec::new(), None, true);
    for (at, c) in text.char_indices().take(40) {
        if let Some(digit) = c.to_digit(10) {
            digits.push(digit);
            separated = false;
        } else if matches!(c, ' ' | '-') && !separated {
            separated = true;
        } else {
            break;
        }
        let sound = !separated && (13..=19).contains(&digits.len()) && ends(&text[at + 1..]);
        if sound && digits.iter().any(|digit| *digit != 0) && passes_luhn(&digits) {
            found = Some(at + 1);
        }
    }
    found
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match digit * (1 + at as u32 % 2) {
            two @ 10.. => two - 9,
            one => one,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn ip(text: &str) -> Option<usize> {
    let length = run(text, |c| c.is_ascii_hexdigit() || matches!(c, '.' | ':'));
    // A full stop or a colon may end the sentence; a port may follow.
    let word = text[..length].trim_end_matches(['.', ':']);
    let four = word.split(':').next().unwrap_or_default();
    if four.parse::<std::net::Ipv4Addr>().is_ok() && ends(&text[four.len()..]) {
        return Some(four.len());
    }
    // Without a digit it is rather the path of some code.
    let six = word.matches(':').count() >= 2 && word.bytes().any(|byte| byte.is_ascii_digit());
    (six && word.parse::<std::net::Ipv6Addr>().is_ok() && ends(&text[word.len()..])).then_some(word.len())
}

fn phone(text: &str) -> Option<usize> {
    // `+` and a country, or a leading zero in groups, as a number of an order has not.
    let (lead, international) = match text.strip_prefix('+') {
        Some(_) => (1, true),
        None => (usize::from(text.starts_with('(')), false),
    };
    let (digits, length) = digits_of_phone(&text[lead..]);
    let end = lead + length;
    let groups = text[lead..end].split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    let first = text[lead..end].split(['-', '/']).next().unwrap_or_default();
    let is_date = first.len() == 4 && !first.starts_with('0');
    let sound = if international {
        (8..=15).contains(&digits.len())
    } else {
        (9..=13).contains(&digits.len())
            && groups >= 2
            && !is_date
            && (digits[0] == 0 || lead == 1 || is_american(text))
    };
    (sound && ends(&text[end..])).then_some(end)
}

/// `555-123-4567`, `555 123 4567`, `555.123.4567`
fn is_american(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 12
        && bytes[..12].iter().enumerate().all(|(at, byte)| match at {
            3 | 7 => matches!(byte, b'-' | b'.' | b' '),
            _ => byte.is_ascii_digit(),
        })
}

/// The digits of a telephone number with spaces, dashes, dots, slashes and brackets between them.
fn digits_of_phone(text: &str) -> (Vec<u8>, usize) {
    let (mut digits, mut length, mut gap) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        if let Some(digit) = c.to_digit(10) {
            digits.push(digit as u8);
            (length, gap) = (at + 1, 0);
            // No number has more.
            if digits.len() > 15 {
                break;
            }
        } else if matches!(c, ' ' | '-' | '.' | '/' | '(' | ')') && gap < 3 {
            gap += 1;
        } else {
            break;
        }
    }
    (digits, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        Redactor::without(&[]).text(text)
    }

    #[test]
    fn every_rule_finds_what_it_is_for() {
        for (text, expected) in [
            ("write to Ann.O-Neil+x@mail.example.com.", "write to [email]."),
            ("müller@exämple.de", "[email]"),
            ("call +49 (0)30 1234-5678 now", "call [phone] now"),
            ("call +4930123456789", "call [phone]"),
            ("tel 030 / 123 45 67-8.", "tel [phone]."),
            ("(555) 123-4567 or 555-123-4567", "[phone] or [phone]"),
            ("from 203.0.113.9:443, 2001:db8::1 and ::1.", "from [ip]:443, [ip] and [ip]."),
            ("paid with 4111 1111 1111 1111, then 5500-0000-0000-0004", "paid with [card], then [card]"),
            ("378282246310005", "[card]"),
            ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [iban] please"),
            ("GB82WEST12345698765432", "[iban]"),
            ("key sk-abcdefghij0123456789 and AKIAIOSFODNN7EXAMPLE", "key [api-key] and [api-key]"),
            ("Authorization: Bearer abc.def-ghi_0123456789", "Authorization: [token]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[token]"),
            ("sha 2bd21650ddfe873882aab17f3173e62c3e7f7f7262bc0f91d29eb7498e1f2236", "sha [token]"),
            ("-----BEGIN RSA PRIVATE KEY-----\nab\n-----END RSA PRIVATE KEY-----!", "[private-key]!"),
            ("-----BEGIN PRIVATE KEY-----\ncut", "[private-key]"),
            ("key_-----BEGIN PRIVATE KEY-----\ncut", "key_[private-key]"),
            (r"line1\nAKIAIOSFODNN7EXAMPLE", r"line1\n[api-key]"),
            ("%20AKIAIOSFODNN7EXAMPLE", "%20[api-key]"),
            ("key_AKIAIOSFODNN7EXAMPLE", "key_[api-key]"),
            ("PAN4111111111111111", "PAN[card]"),
            ("ip10.0.0.7", "ip[ip]"),
            ("电话+8613812345678", "电话[phone]"),
            ("卡DE89370400440532013000", "卡[iban]"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for text in [
            "order 4111 1111 1111 1112",
            "1234567890123456789012345",
            "DE89370400440532013002",
            "version 1.2.3, 300.1.1.1, 10:45:00, a::b::c",
            "2026-11-22 10:45 and 2026-11-22T10:45:00Z",
            "a@b, @home, x@y.z",
            "replica lag 1405s > 300s, 0.5 and 1,900 orders",
            "the-very-long-name-of-a-kubernetes-pod-in-some-cluster",
            "task-force sk-short",
            "00000000000000000",
            "std::f64::consts, vec64::push and XAKIAIOSFODNN7EXAMPLE",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn values_keep_their_shape_and_finds_are_counted() {
        let mut redactor = Redactor::without(&[Rule::Ip]);
        let value = serde_json::json!({"a@b.de": ["1.2.3.4", 4_111_111_111_111_111_u64, 7, true, "x@y.de"], "n": null});
        let expected = serde_json::json!({"[email]": ["1.2.3.4", "[card]", 7, true, "[email]"], "n": null});
        assert_eq!(redactor.value(&value), expected);
        assert_eq!(redactor.found, BTreeMap::from([(Rule::Email, 2), (Rule::Card, 1)]));
        let alike = serde_json::json!({"a@b.de": 1, "c@d.de": 2, "[email]-2": 3, "e@f.de": 4});
        let expected = serde_json::json!({"[email]": 1, "[email]-2": 2, "[email]-2-2": 3, "[email]-3": 4});
        assert_eq!(Redactor::without(&[]).value(&alike), expected);
        assert_eq!(redacted("日本語 a@b.jp 😀"), "日本語 [email] 😀");
    }
}
