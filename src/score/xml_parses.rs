//! Whether an answer is XML.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss, inside};
use super::scorer::Scorer;
use super::settings::{Settings, settings};
use super::spec::{SpecError, ValueKind};

settings! {
    /// `[scorers.NAME.xml_parses]`
    answer XmlParsesSpec {
        /// The name of the outermost element.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub root: Option<String>,
        /// A code block around it is allowed.
        pub fenced: bool,
    }
}

/// The answer is well-formed XML: one outermost element, tags that match, no attribute twice, only entities that XML
/// itself defines. Nothing that it refers to is looked up.
#[derive(Debug)]
struct XmlParses {
    root: Option<String>,
    fenced: bool,
}

impl Settings for XmlParsesSpec {
    fn kind(&self) -> &'static str {
        "xml_parses"
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        self.common().measured(ValueKind::Right, XmlParses { root: self.root.clone(), fenced: self.fenced })
    }
}

/// The first attribute that is written badly or twice.
fn attributes(start: &BytesStart<'_>) -> Result<(), String> {
    // The reader's own check compares each name with every other.
    let mut names = HashSet::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(attribute.key.as_ref());
        if !names.insert(attribute.key.into_inner()) {
            return Err(format!("there are two attributes `{name}`"));
        }
        let value = String::from_utf8_lossy(&attribute.value);
        if value.contains('<') {
            return Err(format!("there is a `<` in the attribute `{name}`"));
        }
        for part in value.split('&').skip(1) {
            match part.split_once(';') {
                Some((entity, _)) if is_known_entity(entity) => {}
                Some((entity, _)) => return Err(format!("there is no entity &{entity};")),
                None => return Err(format!("there is a `&` alone in the attribute `{name}`")),
            }
        }
    }
    Ok(())
}

/// Whether an entity is one of XML's own, or a character by its number.
fn is_known_entity(name: &str) -> bool {
    let number = |digits: &str, base| u32::from_str_radix(digits, base).ok().and_then(char::from_u32).is_some();
    match name.strip_prefix('#') {
        Some(hex) if hex.starts_with('x') => number(&hex[1..], 16),
        Some(decimal) => number(decimal, 10),
        None => matches!(name, "lt" | "gt" | "amp" | "quot" | "apos"),
    }
}

/// The name of the outermost element of a well-formed document.
fn root(text: &str) -> Result<String, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut found: Option<String> = None;
    let mut depth = 0_usize;
    let mut begins = |start: &BytesStart<'_>, depth: usize| {
        attributes(start)?;
        if depth == 0 {
            let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
            if found.replace(name).is_some() {
                return Err("there are several outermost elements".to_owned());
            }
        }
        Ok(())
    };
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                begins(&start, depth)?;
                depth += 1;
            }
            Event::Empty(start) => begins(&start, depth)?,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(text) if depth == 0 && !text.iter().all(u8::is_ascii_whitespace) => {
                return Err("there is text outside of the outermost element".to_owned());
            }
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => {
                return Err("there is text outside of the outermost element".to_owned());
            }
            Event::GeneralRef(entity) => {
                let name = String::from_utf8_lossy(&entity).into_owned();
                if !is_known_entity(&name) {
                    return Err(format!("there is no entity &{name};"));
                }
            }
            Event::Eof if depth > 0 => return Err("an element is not closed".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    found.ok_or_else(|| "there is no element".to_owned())
}

impl Measure for XmlParses {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let text = at.text()?;
        Ok(Found::unless(match (root(inside(&text, self.fenced)), &self.root) {
            (Err(why), _) => Some(format!("no XML: {why}")),
            (Ok(name), Some(wanted)) if name != *wanted => {
                Some(format!("the outermost element is `{name}`, not `{wanted}`"))
            }
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn well_formed_or_not() {
        for (text, name) in [
            ("<a/>", Some("a")),
            ("<?xml version=\"1.0\"?><!-- x --><a b='1'><c>t &amp; &#228;</c></a>\n", Some("a")),
            ("<a><![CDATA[<]]></a>", Some("a")),
            ("<a>", None),
            ("<a></b>", None),
            ("</a>", None),
            ("<a/><b/>", None),
            ("text <a/>", None),
            ("<a b='1' b='2'/>", None),
            ("<a b='1' c='1'/>", Some("a")),
            ("<a b='&lt;&#228;&quot; ;'/>", Some("a")),
            ("<a b='<'/>", None),
            ("<a b='&nope;'/>", None),
            ("<a b='x & y'/>", None),
            ("<a b=1/>", None),
            ("<a>&nope;</a>", None),
            ("<a>&</a>", None),
            ("<a>&#xFFFFFFFF;</a>", None),
            ("no", None),
            ("", None),
        ] {
            assert_eq!(root(text).ok().as_deref(), name, "{text}");
        }
    }

    #[test]
    fn very_many_attributes() {
        let many = (0..100_000).map(|at| format!(" a{at}=''")).collect::<Vec<_>>().concat();
        assert_eq!(root(&format!("<a{many}/>")).as_deref(), Ok("a"));
        assert!(root(&format!("<a{many} a7=''/>")).is_err());
    }
}
