//! What a reader of each format sees, by that format's own parser.

use std::collections::BTreeMap;

use html5ever::tendril::TendrilSink as _;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use pulldown_cmark::{Event, Options, Parser, Tag};

/// How many elements there are, by name.
pub type Elements = BTreeMap<String, usize>;

/// The elements of a page as a browser would build them, with the names of their attributes.
pub fn html(text: &str) -> Elements {
    fn walk(node: &Handle, found: &mut Elements) {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            *found.entry(name.local.to_string()).or_default() += 1;
            for attribute in attrs.borrow().iter() {
                *found.entry(format!("{} {}", name.local, attribute.name.local)).or_default() += 1;
            }
        }
        node.children.borrow().iter().for_each(|child| walk(child, found));
    }
    let page = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(text);
    let mut found = Elements::new();
    walk(&page.document, &mut found);
    found
}

/// The parts of a Markdown text, with tables, strikethrough, footnotes, tasks and mathematics; each tag of inline HTML counts.
pub fn markdown(text: &str) -> Elements {
    let mut found = Elements::new();
    for event in Parser::new_ext(text, Options::all()) {
        let name = match event {
            Event::Start(tag) => match tag {
                Tag::Heading { level, .. } => format!("heading {level}"),
                Tag::Table(columns) => format!("table of {}", columns.len()),
                Tag::List(first) => format!("list {}", first.is_some()),
                other => format!("{other:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned(),
            },
            Event::Html(html) | Event::InlineHtml(html) => format!("html {}", html.trim()),
            Event::Code(_) => "code".to_owned(),
            Event::Rule => "rule".to_owned(),
            Event::InlineMath(_) | Event::DisplayMath(_) => "mathematics".to_owned(),
            Event::FootnoteReference(_) => "footnote".to_owned(),
            Event::TaskListMarker(_) => "task".to_owned(),
            Event::HardBreak => "break".to_owned(),
            Event::End(_) | Event::Text(_) | Event::SoftBreak => continue,
        };
        *found.entry(name).or_default() += 1;
    }
    found
}

/// The elements of an XML text; it must be well-formed.
pub fn xml(text: &str) -> Elements {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut found = Elements::new();
    loop {
        let start = match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start) => start,
            Event::Text(text) => {
                text.decode().unwrap();
                continue;
            }
            _ => continue,
        };
        *found.entry(String::from_utf8_lossy(start.name().as_ref()).into_owned()).or_default() += 1;
        for attribute in start.attributes() {
            attribute.unwrap().unescape_value().unwrap();
        }
    }
    // What XML 1.0 cannot hold at all.
    assert!(!text.chars().any(|c| c.is_control() && !"\n\t".contains(c)), "a control character in XML");
    assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "no character of XML");
    found
}

/// The cells of a table, row by row; every row has as many as the header.
pub fn csv(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let columns = reader.headers().unwrap().len();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            assert_eq!(row.len(), columns);
            row.iter().map(str::to_owned).collect()
        })
        .collect()
}
