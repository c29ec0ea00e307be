//! What differs between two XForms, and which differences are meant.

use std::collections::BTreeMap;
use std::fmt;

use super::document::{Element, Node};

/// A place at which two XForms say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The path of the element or attribute, for example `/h:html/h:head/model/bind[@nodeset='/data/age']/@type`.
    pub(crate) place: String,
    /// What our document says; None where it has nothing there.
    pub(crate) ours: Option<String>,
    /// What the other document says; None where it has nothing there.
    pub(crate) theirs: Option<String>,
}

/// A difference from pyxform that is meant.
pub(crate) struct Justified {
    /// The form's name; `*` stands for any characters, here and in `place`.
    pub(crate) form: &'static str,
    /// The place of the difference.
    pub(crate) place: &'static str,
    /// Why our document is the better one.
    pub(crate) reason: &'static str,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "{}: ours {}, theirs {}",
            self.place,
            side(&self.ours),
            side(&self.theirs)
        )
    }
}

impl Justified {
    /// Whether this is the justification of a difference in the form of that name.
    pub(crate) fn covers(&self, form: &str, difference: &Difference) -> bool {
        matches(self.form, form) && matches(self.place, &difference.place)
    }
}

/// Compares two XForms: everything in which their canonical trees differ, in the order of the documents.
///
/// Attributes have no order. Children have one, and are paired so that as many as possible keep it; what has no partner
/// is a difference of its own. A document that cannot be read is a single difference.
pub(crate) fn compare(ours: &str, theirs: &str) -> Vec<Difference> {
    let unreadable = |ours: Option<String>, theirs: Option<String>| {
        vec![Difference {
            place: "/".to_owned(),
            ours,
            theirs,
        }]
    };
    match (Element::read(ours), Element::read(theirs)) {
        (Ok(ours), Ok(theirs)) => {
            let mut differences = Vec::new();
            let place = format!("/{}", theirs.name);
            if ours.name == theirs.name {
                compare_elements(&ours, &theirs, &place, &mut differences);
            } else {
                differences.push(Difference {
                    place,
                    ours: Some(ours.name),
                    theirs: Some(theirs.name),
                });
            }
            differences
        }
        (Err(error), Ok(_)) => unreadable(Some(format!("no XML: {error}")), None),
        (Ok(_), Err(error)) => unreadable(None, Some(format!("no XML: {error}"))),
        (Err(ours), Err(theirs)) => unreadable(Some(format!("no XML: {ours}")), Some(format!("no XML: {theirs}"))),
    }
}

fn compare_elements(ours: &Element, theirs: &Element, place: &str, differences: &mut Vec<Difference>) {
    let names: BTreeMap<&String, ()> = ours
        .attributes
        .keys()
        .chain(theirs.attributes.keys())
        .map(|name| (name, ()))
        .collect();
    for name in names.keys() {
        let (our_value, their_value) = (ours.attributes.get(*name), theirs.attributes.get(*name));
        if our_value != their_value {
            differences.push(Difference {
                place: format!("{place}/@{name}"),
                ours: our_value.map(|value| format!("{value:?}")),
                theirs: their_value.map(|value| format!("{value:?}")),
            });
        }
    }
    let mut counts = BTreeMap::new();
    for (our_child, their_child) in paired(&ours.children, &theirs.children) {
        let Some(child) = their_child.or(our_child) else {
            continue;
        };
        let step = step(child);
        let count = counts.entry(step.clone()).or_insert(0_usize);
        *count += 1;
        let position = if *count > 1 {
            format!("[{count}]")
        } else {
            String::new()
        };
        let place = format!("{place}/{step}{position}");
        match (our_child, their_child) {
            (Some(Node::Element(ours)), Some(Node::Element(theirs))) => {
                compare_elements(ours, theirs, &place, differences);
            }
            (ours, theirs) if ours == theirs => {}
            (ours, theirs) => differences.push(Difference {
                place,
                ours: ours.map(summary),
                theirs: theirs.map(summary),
            }),
        }
    }
}

/// Pairs the children of two elements in order: a longest common subsequence of their steps.
fn paired<'a>(ours: &'a [Node], theirs: &'a [Node]) -> Vec<(Option<&'a Node>, Option<&'a Node>)> {
    let our_steps: Vec<String> = ours.iter().map(step).collect();
    let their_steps: Vec<String> = theirs.iter().map(step).collect();
    // lengths[i][j]: how many can be paired of ours from i and theirs from j.
    let mut lengths = vec![vec![0_usize; theirs.len() + 1]; ours.len() + 1];
    for i in (0..ours.len()).rev() {
        for j in (0..theirs.len()).rev() {
            lengths[i][j] = if our_steps[i] == their_steps[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < ours.len() && j < theirs.len() {
        if our_steps[i] == their_steps[j] {
            pairs.push((Some(&ours[i]), Some(&theirs[j])));
            i += 1;
            j += 1;
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            pairs.push((Some(&ours[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(&theirs[j])));
            j += 1;
        }
    }
    pairs.extend(ours[i..].iter().map(|node| (Some(node), None)));
    pairs.extend(theirs[j..].iter().map(|node| (None, Some(node))));
    pairs
}

/// A child in a path: its name, with the attributes that tell it from its siblings.
fn step(node: &Node) -> String {
    let Node::Element(element) = node else {
        return "text()".to_owned();
    };
    let keys: &[&str] = match element.name.as_str() {
        "bind" | "repeat" => &["nodeset"],
        "instance" | "text" => &["id"],
        "translation" => &["lang"],
        "value" => &["form"],
        "setvalue" | "odk:setgeopoint" | "odk:recordaudio" => &["ref", "event"],
        // Their expressions are compared as attributes, not taken for another element's.
        "label" | "hint" | "output" | "itemset" => &[],
        _ => &["ref"],
    };
    let written = keys.iter().filter_map(|key| {
        let value = element.attributes.get(*key)?;
        Some(format!("[@{key}='{value}']"))
    });
    std::iter::once(element.name.clone()).chain(written).collect()
}

/// A node in short, for messages.
fn summary(node: &Node) -> String {
    const LENGTH: usize = 160;
    let mut text = String::new();
    write_node(node, &mut text);
    if text.chars().count() > LENGTH {
        text = text.chars().take(LENGTH).chain("…".chars()).collect();
    }
    text
}

fn write_node(node: &Node, text: &mut String) {
    match node {
        Node::Text(content) => text.push_str(&format!("{content:?}")),
        Node::Element(element) => {
            text.push_str(&format!("<{}", element.name));
            for (name, value) in &element.attributes {
                text.push_str(&format!(" {name}={value:?}"));
            }
            text.push('>');
            for child in &element.children {
                write_node(child, text);
            }
            text.push_str(&format!("</{}>", element.name));
        }
    }
}

/// Whether a text is what a pattern describes, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    // The rest of the pattern may begin anywhere in the rest of the text.
    let mut starts = rest.char_indices().map(|(start, _)| start).chain([rest.len()]);
    starts.any(|start| matches(after, &rest[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = r#"<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms">
  <h:head><h:title>Hộ</h:title><model odk:xforms-version="1.0.0">
    <itext><translation lang="vi" default="true()">
      <text id="/data/a:label"><value>Tuổi của <output value=" /data/b "/> </value><value form="image">jr://images/a.png</value></text>
      <text id="/data/b:label"><value>Tên</value></text>
    </translation></itext>
    <instance><data id="ho"><b/><a>7</a></data></instance>
    <bind nodeset="/data/b" type="string"/>
    <bind nodeset="/data/a" type="int" relevant=" /data/b  != ''" jr:preload="uid"/>
    <setvalue ref="/data/b" event="odk-instance-first-load" value="now()"/>
  </model></h:head>
  <h:body><input ref="/data/b"><label ref="jr:itext('/data/b:label')"/></input><input ref="/data/a"><label ref="jr:itext('/data/a:label')"/></input></h:body>
</h:html>"#;

    /// The same form in other words: order, prefixes, white space.
    const SAME: &str = r#"<x:html xmlns:x="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms" xmlns:java="http://openrosa.org/javarosa" xmlns:o="http://www.opendatakit.org/xforms" xmlns:unused="u"><x:head><x:title>Hộ</x:title><model o:xforms-version="1.0.0"><itext><translation default="true()" lang="vi"><text id="/data/b:label"><value>Tên</value></text><text id="/data/a:label"><value form="image">jr://images/a.png</value><value>Tuổi của <output value="/data/b"/></value></text></translation></itext><instance><data id="ho"><b></b><a>7</a></data></instance><setvalue event="odk-instance-first-load" ref="/data/b" value="now()"/><bind type="int" nodeset="/data/a" java:preload="uid" relevant="/data/b != ''"/><bind nodeset="/data/b" type="string"/></model></x:head><x:body><input ref="/data/b"><label ref="jr:itext('/data/b:label')"/></input><input ref="/data/a"><label ref="jr:itext('/data/a:label')"/></input></x:body></x:html>"#;

    /// The places of the differences after one change.
    fn places(from: &str, to: &str) -> Vec<String> {
        assert!(FORM.contains(from), "{from} is not in the form");
        let differences = compare(&FORM.replacen(from, to, 1), FORM);
        differences.into_iter().map(|difference| difference.place).collect()
    }

    #[test]
    fn another_way_to_write_the_same_form_is_no_difference() {
        assert_eq!(compare(SAME, FORM), []);
        assert_eq!(compare(FORM, SAME), []);
    }

    #[test]
    fn every_change_of_meaning_is_found_where_it_is() {
        let model = "/h:html/h:head/model";
        for (from, to, place) in [
            (">Hộ<", ">Hộ khác<", "/h:html/h:head/h:title/text()".to_owned()),
            (
                "type=\"int\"",
                "type=\"decimal\"",
                format!("{model}/bind[@nodeset='/data/a']/@type"),
            ),
            (
                " jr:preload=\"uid\"",
                "",
                format!("{model}/bind[@nodeset='/data/a']/@jr:preload"),
            ),
            (
                "jr:preload=",
                "odk:preload=",
                format!("{model}/bind[@nodeset='/data/a']/@jr:preload"),
            ),
            ("!= ''", "!= ' '", format!("{model}/bind[@nodeset='/data/a']/@relevant")),
            ("<a>7</a>", "<a>8</a>", format!("{model}/instance/data/a/text()")),
            ("<a>7</a>", "", format!("{model}/instance/data/a")),
            ("<b/>", "<b/><c/>", format!("{model}/instance/data/c")),
            (
                "Tuổi của",
                "Tuổi  của",
                format!("{model}/itext/translation[@lang='vi']/text[@id='/data/a:label']/value/text()"),
            ),
            (
                "a.png",
                "b.png",
                format!("{model}/itext/translation[@lang='vi']/text[@id='/data/a:label']/value[@form='image']/text()"),
            ),
            (
                "lang=\"vi\"",
                "lang=\"en\"",
                format!("{model}/itext/translation[@lang='vi']"),
            ),
            (
                "value=\"now()\"",
                "value=\"today()\"",
                format!("{model}/setvalue[@ref='/data/b'][@event='odk-instance-first-load']/@value"),
            ),
        ] {
            assert!(
                places(from, to).contains(&place),
                "{from} → {to}: {:?}",
                places(from, to)
            );
        }
    }

    #[test]
    fn the_order_of_questions_matters() {
        assert_eq!(places("<b/><a>7</a>", "<a>7</a><b/>").len(), 2);
        let first = "<input ref=\"/data/b\"><label ref=\"jr:itext('/data/b:label')\"/></input>";
        let second = "<input ref=\"/data/a\"><label ref=\"jr:itext('/data/a:label')\"/></input>";
        assert_eq!(
            places(&format!("{first}{second}"), &format!("{second}{first}")).len(),
            2
        );
    }

    #[test]
    fn a_document_that_is_no_xml_is_a_difference() {
        let differences = compare("<a>", FORM);
        assert_eq!(differences.len(), 1);
        assert!(differences[0].to_string().contains("no XML"), "{}", differences[0]);
        assert_eq!(compare(FORM, "").len(), 1);
        assert_eq!(compare("<a/>", FORM)[0].place, "/h:html");
    }

    #[test]
    fn a_justification_covers_its_form_and_place_only() {
        let difference = Difference {
            place: "/h:html/h:head/model/bind[@nodeset='/data/a']/@type".to_owned(),
            ours: None,
            theirs: None,
        };
        let covers = |form, place| {
            Justified {
                form,
                place,
                reason: "",
            }
            .covers("ho", &difference)
        };
        assert!(covers("ho", "/h:html/h:head/model/bind[@nodeset='/data/a']/@type"));
        assert!(covers("*", "*/bind[*]/@type"));
        assert!(covers("h*", "*"));
        assert!(!covers("xa", "*"));
        assert!(!covers("*", "*/bind[*]/@relevant"));
        assert!(!covers("*", "/h:html/h:head/model/bind"));
    }
}
