//! What is wrong with an XForm is told with its place; nothing that stands in one can make the reader fail otherwise.

use survey_forms::model::{Place, ProblemKind, XFormProblem};
use survey_forms::xform;

use super::forms;

/// An XForm, a part of it a line, with parts replaced by others.
fn xform(replaced: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
         xmlns:jr=\"http://openrosa.org/javarosa\">
<h:head><h:title>T</h:title>
<model>
<itext><translation lang=\"vi\"><text id=\"age\"><value>Tuổi</value></text></translation></itext>
<instance>
<data id=\"f\">
<age/>
<g><name/></g>
<meta><instanceID/></meta>
</data>
</instance>
<instance id=\"l\"><root><item><name>a</name><label>A</label></item></root></instance>
<bind nodeset=\"/data/age\" type=\"int\"/>
<bind nodeset=\"/data/g/name\" type=\"string\" relevant=\"/data/age > 3\"/>
</model>
</h:head>
<h:body>
<input ref=\"/data/age\"><label ref=\"jr:itext('age')\"/></input>
<group ref=\"/data/g\">
<select1 ref=\"/data/g/name\"><label>N</label>
<itemset nodeset=\"instance('l')/root/item\"><value ref=\"name\"/><label ref=\"label\"/></itemset></select1>
</group>
</h:body>
</h:html>
",
    );
    for (part, other) in replaced {
        assert!(text.contains(part), "{part}");
        text = text.replace(part, other);
    }
    text
}

#[test]
fn the_form_itself_is_read() {
    let form = xform::read(&xform(&[])).unwrap();
    assert_eq!(form.nodes().len(), 3);
    assert_eq!(form.node("name").unwrap().relevant.as_deref(), Some("${age} > 3"));
}

/// What is replaced, and the line, the beginning of the element's path and the words that are told.
type Case = (&'static [(&'static str, &'static str)], u32, &'static str, &'static str);

#[test]
fn problems_are_told_with_line_and_element() {
    const BIND: &str = "/h:html/h:head/model/bind:1";
    let cases: [Case; 21] = [
        (
            &[("<age/>", "<age>")],
            10,
            "/h:html/h:head/model/instance/data/age",
            "malformed",
        ),
        (
            &[("<h:html xmlns=", "<!DOCTYPE x [<!ENTITY a 'b'>]><h:html xmlns=")],
            1,
            "/",
            "document type",
        ),
        (&[("<age/>", "<age>&lol;</age>")], 7, "/h:html", "document type"),
        (
            &[("<age/>", "<x:age/>")],
            7,
            "/h:html/h:head/model/instance/data/x:age:1",
            "prefix",
        ),
        (
            &[("<bind nodeset=\"/data/age\"", "<bind y:z=\"1\" nodeset=\"/data/age\"")],
            13,
            BIND,
            "prefix",
        ),
        (
            &[("<h:body>", "<body2>"), ("</h:body>", "</body2>")],
            1,
            "/h:html:1",
            "no element h:body",
        ),
        (
            &[
                ("<data id=\"f\">", ""),
                ("</data>", ""),
                ("<age/>", ""),
                ("<g><name/></g>", ""),
                ("<meta><instanceID/></meta>", ""),
            ],
            5,
            "/h:html/h:head/model/instance:1",
            "no element data",
        ),
        (
            &[("nodeset=\"/data/age\"", "nodeset=\"/data/ages\"")],
            13,
            BIND,
            "no element of the primary instance",
        ),
        (
            &[("nodeset=\"/data/age\"", "nodeset=\"/dat/age\"")],
            13,
            BIND,
            "no element of the primary instance",
        ),
        (
            &[("nodeset=\"/data/g/name\"", "nodeset=\"/data/age\"")],
            14,
            BIND,
            "already in line 13",
        ),
        (&[("nodeset=\"/data/age\" ", "")], 13, BIND, "no attribute nodeset"),
        (
            &[("<input ref=\"/data/age\"", "<input ref=\"/data/old\"")],
            18,
            "/h:html/h:body/input:1",
            "\"/data/old\"",
        ),
        (
            &[("<input ref=\"/data/age\"", "<input bind=\"age\"")],
            18,
            "/h:html/h:body/input:1",
            "\"age\"",
        ),
        (
            &[("<input ref=\"/data/age\"", "<input")],
            18,
            "/h:html/h:body/input:1",
            "no attribute ref",
        ),
        (
            &[("jr:itext('age')", "jr:itext('old')")],
            18,
            "/h:html/h:body/input/label:24",
            "\"old\"",
        ),
        (
            &[("instance('l')", "instance('m')")],
            21,
            "/h:html/h:body/group/select1/itemset:1",
            "\"m\"",
        ),
        (
            &[("<age/>", "<age/><age/>")],
            7,
            "/h:html/h:head/model/instance/data/age:7",
            "stands twice",
        ),
        (
            &[("<age/>", "<age/><bind nodeset='/data/age'/><x a='1' a='2'/>")],
            7,
            "/h:html/h:head/model/instance/data/x:34",
            "stands twice",
        ),
        (&[("/data/age > 3", "/data/age > ")], 14, BIND, "^"),
        (&[("/data/age > 3", "${ages} > 3")], 14, BIND, "ages"),
        (
            &[("<instance id=\"l\">", "<instance id=\"l\" src=\"http://x.example/y\">")],
            12,
            "/h:html/h:head/model/instance:1",
            "cannot be had",
        ),
    ];
    for (replaced, line, element, words) in cases {
        let problems = xform::read(&xform(replaced))
            .map(|form| form.nodes().len())
            .unwrap_err()
            .0;
        let problem = &problems[0];
        let shown = problem.to_string();
        let place = &problem.place;
        assert_eq!((place.sheet.as_str(), place.row), (Place::XFORM, Some(line)), "{shown}");
        assert!(place.column.as_deref().unwrap().starts_with(element), "{shown}");
        assert!(shown.contains(words), "{shown} should say {words}");
        assert!(
            problem.vietnamese().starts_with("XForm, dòng "),
            "{}",
            problem.vietnamese()
        );
    }
}

#[test]
fn what_means_nearly_the_same_is_read_with_a_warning() {
    for (replaced, words) in [
        (("type=\"int\"", "type=\"colour\""), "data type"),
        (
            ("<group ref=\"/data/g\">", "<group appearance=\"field-list\">"),
            "no element",
        ),
        (("</group>", "<input ref=\"/data/age\"/></group>"), "shown twice"),
        (("<input ref", "<secret ref"), "shown while it is typed"),
        (
            ("<group ref=\"/data/g\">", "<group ref=\"/data/g\"><widget/>"),
            "widget",
        ),
    ] {
        let text = xform(&[replaced]).replace("('age')\"/></input>", "('age')\"/></XX>");
        let text = text.replace(
            "</XX>",
            if text.contains("<secret") {
                "</secret>"
            } else {
                "</input>"
            },
        );
        let reading = xform::read_with_warnings(&text).unwrap();
        let warnings: Vec<String> = reading.warnings.iter().map(ToString::to_string).collect();
        assert!(
            warnings.iter().any(|warning| warning.contains(words)),
            "{words}: {warnings:?}"
        );
        assert!(reading.warnings.iter().all(|warning| warning.place.row.is_some()));
    }
}

#[test]
fn what_would_take_much_memory_is_refused() {
    let deep = |depth: usize| {
        xform(&[(
            "<age/>",
            &format!("<age/>{}{}", "<b>".repeat(depth), "</b>".repeat(depth)),
        )])
    };
    let long = "x".repeat(5 << 20);
    let many: String = (0..30_000).map(|number| format!("<q{number}/>")).collect();
    for text in [
        deep(10_000),
        deep(100),
        xform(&[("type=\"int\"", &format!("type=\"int\" jr:x=\"{long}\""))]),
        xform(&[("<age/>", &format!("<age/><{long}/>"))]),
        xform(&[("<age/>", &format!("<age/>{many}"))]),
        "<a>".repeat(1_000_000),
    ] {
        let problems = xform::read(&text).map(|form| form.nodes().len()).unwrap_err();
        let kind = &problems.0[0].kind;
        let is_limit = matches!(kind, ProblemKind::TooLarge { .. } | ProblemKind::TooDeep(_));
        assert!(is_limit, "{problems}");
        assert!(problems.to_string().len() < 100_000);
    }
}

#[test]
fn no_text_at_all_is_an_error() {
    for text in [
        "",
        " ",
        "\u{feff}",
        "{}",
        "<",
        "<a/>",
        "<h:html/>",
        "PK\u{3}\u{4}",
        "<a/><b/>",
    ] {
        let problems = xform::read(text).map(|form| form.nodes().len()).unwrap_err();
        assert!(
            matches!(
                problems.0[0].kind,
                ProblemKind::XForm(
                    XFormProblem::Malformed(_) | XFormProblem::MissingElement(_) | XFormProblem::UnknownPrefix(_)
                )
            ),
            "{text:?}: {problems}"
        );
    }
}

/// The next number of a linear congruential generator (D. Knuth, MMIX).
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn no_change_of_a_form_makes_the_reader_panic() {
    const PARTS: [&str; 22] = [
        "\"",
        "'",
        "<",
        ">",
        "/",
        "..",
        "[",
        "]",
        "(",
        ")",
        "${",
        "}",
        "&amp;",
        "&#0;",
        "instance('",
        "jr:itext('",
        "current()/",
        " ",
        "randomize(",
        "\u{1f600}",
        "<group>",
        "</group>",
    ];
    let (forms, _) = forms::read_all();
    let mut state = 20_261_125;
    let mut read = 0;
    let mut failed = 0;
    for test in &forms {
        let written = xform::write(&test.form);
        for _ in 0..10 {
            let mut text = written.clone();
            for _ in 0..=next(&mut state) % 3 {
                let mut places = [0, 0].map(|_| next(&mut state) % (text.len() + 1));
                places.sort_unstable();
                let places = places.map(|place| (0..=place).rev().find(|place| text.is_char_boundary(*place)).unwrap());
                let [start, end] = places;
                let near = (start + 12).min(end);
                let end = (near..=text.len()).find(|place| text.is_char_boundary(*place)).unwrap();
                match next(&mut state) % 3 {
                    0 => text.replace_range(start..end, ""),
                    1 => text.insert_str(start, PARTS[next(&mut state) % PARTS.len()]),
                    _ => {
                        let copy = text[start..end].to_owned();
                        text.insert_str(places[1], &copy);
                    }
                }
            }
            if let Ok(form) = xform::read(&text) {
                read += 1;
                // What was read can be written and is then read again.
                let again = xform::write(&form);
                if let Err(problems) = xform::read(&again) {
                    println!("{}: {problems}\n{text}\n{again}\n", test.name);
                    failed += 1;
                }
            }
        }
    }
    assert_eq!(failed, 0, "forms that were read and written are not read again");
    assert!(read > 150, "only {read} changed forms are still forms");
}
