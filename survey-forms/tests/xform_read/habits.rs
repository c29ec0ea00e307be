//! XForms as other programs and people write them, and what they mean.

use std::path::Path;

use survey_forms::model::{EntityDeclaration, Form, FormNode, MediaKind, Metadata, NodeKind};
use survey_forms::xform;

use super::oracles;

/// A form of that instance, those further parts of the model, and that body.
fn form(instance: &str, model: &str, body: &str) -> String {
    format!(
        "<?xml version='1.0'?>
<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml'
  xmlns:jr='http://openrosa.org/javarosa' xmlns:xsd='http://www.w3.org/2001/XMLSchema'
  xmlns:orx='http://openrosa.org/xforms' xmlns:odk='http://www.opendatakit.org/xforms'>
 <h:head><h:title>T</h:title>
  <model>
   <instance><data id='f'>{instance}<orx:meta><orx:instanceID/></orx:meta></data></instance>
   {model}
   <bind nodeset='/data/orx:meta/orx:instanceID' type='string' readonly='true()' calculate=\"concat('uuid:', uuid())\"/>
  </model></h:head>
 <h:body>{body}</h:body>
</h:html>"
    )
}

/// Each form with what it is an example of.
fn all() -> Vec<(&'static str, String)> {
    vec![
        (
            "static-items",
            form(
                "<a/><b/>",
                "<bind nodeset='/data/a' type='select1'/><bind nodeset='/data/b' type='select'/>",
                "<select1 ref='/data/a'><label>A</label>
                   <item><label>Có</label><value>yes</value></item><item><label>Không</label><value>no</value></item>
                 </select1>
                 <select ref='/data/b'><label>B</label>
                   <item><label>Có</label><value>yes</value></item><item><label>Không</label><value>no</value></item>
                 </select>",
            ),
        ),
        (
            "groups-without-elements",
            form(
                "<a/><b/><c/>",
                "<bind nodeset='/data/a' type='xsd:int'/><bind nodeset='/data/b' type='xsd:string'/>
                 <bind nodeset='/data/c' type='xsd:date'/>",
                "<input ref='c'><label>C</label></input>
                 <group appearance='field-list'><label>Cùng trang</label>
                   <input ref='/data/a'><label>A</label></input><input ref='/data/b'><label>B</label></input></group>",
            ),
        ),
        (
            "binds-by-id",
            form(
                "<a>7</a><b/>",
                "<bind id='one' nodeset='/data/a' type='int' constraint='. &gt; 3' jr:constraintMsg='hơn 3'/>
                 <bind id='two' nodeset='/data/b' type='string' required='true()' relevant='/data/a=7'/>",
                "<input bind='one'><label><![CDATA[A < B & \"C\"]]></label><hint>
                    xuống dòng
                 </hint></input><input bind='two'><label>B: <output value='/data/a'/> người</label></input>",
            ),
        ),
        (
            "preloads",
            form(
                "<start/><who/><day/><before/>",
                "<bind nodeset='/data/start' type='xsd:dateTime' jr:preload='timestamp' jr:preloadParams='start'/>
                 <bind nodeset='/data/who' type='xsd:string' jr:preload='property' jr:preloadParams='username'/>
                 <bind nodeset='/data/day' type='xsd:date' jr:preload='date' jr:preloadParams='today'/>
                 <bind nodeset='/data/before' type='xsd:date' jr:preload='property' jr:preloadParams='period'/>",
                "<input ref='/data/before'><label>Kỳ trước</label></input>",
            ),
        ),
        (
            "short-and-long",
            form(
                "<a/>",
                "<itext><translation lang='English' default=''><text id='a'><value form='short'>A?</value>
                   <value form='long'>Your age</value><value form='image'>jr://images/age.png</value></text></translation>
                  <translation lang='Tiếng Việt (vi)'><text id='a'><value form='short'>T?</value>
                   <value form='long'>Tuổi</value></text></translation></itext>
                 <bind nodeset='/data/a' type='int'/>",
                "<input ref='/data/a'><label ref=\"jr:itext('a')\"/></input>",
            ),
        ),
        (
            "repeat-by-hand",
            form(
                "<n/><member><name/><age/></member>",
                "<bind nodeset='/data/n' type='int'/><bind nodeset='/data/member/age' type='int'
                   relevant=\"../name != ''\" constraint='. &lt; /data/n * 100'/>",
                "<input ref='/data/n'><label>N</label></input>
                 <group><label>Thành viên</label><repeat nodeset='/data/member' jr:count='/data/n' jr:noAddRemove='true()'>
                   <input ref='name'><label>Tên</label></input>
                   <input ref='/data/member/age'><label>Tuổi</label></input></repeat></group>",
            ),
        ),
        (
            "cascade-by-hand",
            form(
                "<p/><c/>",
                "<instance id='places'><root>
                   <item><code>t1</code><title>Xã 1</title><in>tg</in></item>
                   <item><code>t2</code><title>Xã 2</title><in>dt</in></item></root></instance>
                 <bind nodeset='/data/p' type='string'/><bind nodeset='/data/c' type='string'/>",
                "<input ref='/data/p'><label>P</label></input>
                 <select1 ref='/data/c' appearance='minimal'><label>C</label>
                  <itemset nodeset=\"randomize(instance('places')/root/item[in=/data/p])\">
                   <value ref='code'/><label ref='title'/></itemset></select1>",
            ),
        ),
        (
            "expression-in-label",
            form(
                "<a/><b/>",
                "<bind nodeset='/data/a' type='int'/><bind nodeset='/data/b' type='int'/>",
                "<input ref='/data/a'><label>A</label></input>
                 <input ref='/data/b'><label>Gấp đôi <output value='/data/a * 2'/> là?</label></input>",
            ),
        ),
        (
            "actions",
            form(
                "<a/><b/><c>gốc</c><d/><e/>",
                "<bind nodeset='/data/a' type='int'/><bind nodeset='/data/b' type='dateTime'/>
                 <bind nodeset='/data/c' type='string'/><bind nodeset='/data/d' type='string'/>
                 <setvalue event='odk-instance-first-load' ref='/data/b' value='now()'/>
                 <setvalue event='odk-instance-first-load' ref='/data/d'>5 - 3</setvalue>",
                "<input ref='/data/a'><label>A</label>
                   <setvalue event='xforms-value-changed' ref='/data/c' value=\"concat('A', /data/a)\"/>
                   <setvalue event='xforms-value-changed' ref='/data/e'/></input>
                 <input ref='/data/d'><label>D</label></input>",
            ),
        ),
        (
            "same-names",
            form(
                "<g><x/></g><h><x/></h><sum/>",
                "<bind nodeset='/data/g/x' type='int'/><bind nodeset='/data/h/x' type='int' relevant='/data/g/x > 1'/>
                 <bind nodeset='/data/sum' type='int' calculate='/data/g/x + /data/h/x'/>",
                "<group ref='/data/g'><input ref='/data/g/x'><label>X</label></input></group>
                 <group ref='/data/h'><input ref='/data/h/x'><label>X</label></input></group>",
            ),
        ),
        (
            "uploads-and-ranges",
            form(
                "<p/><v/><r/><t/><k/>",
                "<bind nodeset='/data/p' type='binary' orx:max-pixels='640'/><bind nodeset='/data/v' type='binary'/>
                 <bind nodeset='/data/r' type='decimal'/><bind nodeset='/data/t' type='string'/>
                 <bind nodeset='/data/k' type='boolean'/>",
                "<upload ref='/data/p' mediatype='image/*' appearance='new-front'><label>P</label></upload>
                 <upload ref='/data/v' mediatype='text/csv'><label>V</label></upload>
                 <range ref='/data/r' start='0' end='5' step='0.5' appearance='vertical'><label>R</label></range>
                 <trigger ref='/data/t'><label>T</label></trigger>
                 <input ref='/data/k'><label>K</label></input>",
            ),
        ),
        (
            "kobo",
            form(
                "<formhub><uuid/></formhub><start/><name/><__version__/>",
                "<bind nodeset='/data/formhub/uuid' type='string' calculate=\"'0123'\"/>
                 <bind nodeset='/data/start' type='dateTime' jr:preload='timestamp' jr:preloadParams='start'/>
                 <bind nodeset='/data/name' required='true()' type='string'/>
                 <bind nodeset='/data/__version__' type='string' calculate=\"'v1'\"/>",
                "<input ref='/data/name'><label>Tên</label></input>",
            ),
        ),
    ]
}

fn read(name: &str) -> (Form, Vec<String>) {
    let (_, text) = all().into_iter().find(|(known, _)| *known == name).unwrap();
    let reading = xform::read_with_warnings(&text).unwrap_or_else(|problems| panic!("{name}: {problems}"));
    let warnings = reading.warnings.iter().map(ToString::to_string).collect();
    (reading.form, warnings)
}

fn names(form: &Form) -> Vec<&str> {
    form.nodes().iter().map(|node| node.name.as_str()).collect()
}

fn node<'f>(form: &'f Form, name: &str) -> &'f FormNode {
    form.nodes().iter().find(|node| node.name == name).unwrap()
}

#[test]
fn items_in_controls_become_a_list_that_questions_share() {
    let (form, warnings) = read("static-items");
    assert_eq!(node(&form, "a").kind, NodeKind::SelectOne { list: "a".into() });
    assert_eq!(node(&form, "b").kind, NodeKind::SelectMultiple { list: "a".into() });
    let names: Vec<&str> = form.definition().choices["a"]
        .iter()
        .map(|choice| choice.name.as_str())
        .collect();
    assert_eq!(names, ["yes", "no"]);
    assert_eq!(form.definition().choices["a"][0].label.as_plain(), Some("Có"));
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_group_without_an_element_leaves_its_questions_and_its_label() {
    let (form, warnings) = read("groups-without-elements");
    assert_eq!(names(&form), ["c", "generated_group_label_1", "a", "b"]);
    assert_eq!(node(&form, "generated_group_label_1").kind, NodeKind::Note);
    assert_eq!(node(&form, "a").kind, NodeKind::Integer);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("field-list") && warnings[0].contains("line 13"),
        "{warnings:?}"
    );
}

#[test]
fn controls_name_their_binds() {
    let (form, warnings) = read("binds-by-id");
    let first = node(&form, "a");
    assert_eq!(first.label.as_plain(), Some("A < B & \"C\""));
    assert_eq!(first.hint.as_plain(), Some("xuống dòng"));
    assert_eq!(first.default.as_deref(), Some("7"));
    assert_eq!(first.constraint.as_deref(), Some(". > 3"));
    assert_eq!(first.constraint_message.as_plain(), Some("hơn 3"));
    let second = node(&form, "b");
    assert_eq!(second.label.as_plain(), Some("B: ${a} người"));
    assert_eq!(second.relevant.as_deref(), Some("${a}=7"));
    assert_eq!(second.required.as_deref(), Some("true()"));
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn preloads_are_metadata_where_there_is_such_and_stay_attributes_else() {
    let (form, _) = read("preloads");
    assert_eq!(node(&form, "start").kind, NodeKind::Metadata(Metadata::Start));
    assert_eq!(node(&form, "who").kind, NodeKind::Metadata(Metadata::Username));
    assert_eq!(node(&form, "day").kind, NodeKind::Metadata(Metadata::Today));
    let before = node(&form, "before");
    assert_eq!(before.kind, NodeKind::Date);
    assert_eq!(before.attributes.bind["jr:preload"], "property");
    assert_eq!(before.attributes.bind["jr:preloadParams"], "period");
    assert!(!form.settings().omit_instance_id);
}

#[test]
fn the_long_form_of_a_text_is_its_label() {
    let (form, warnings) = read("short-and-long");
    let question = node(&form, "a");
    assert_eq!(form.settings().default_language.as_deref(), Some("English"));
    assert_eq!(question.label.0["English"], "Your age");
    assert_eq!(question.label.0["vi"], "Tuổi");
    assert_eq!(question.media[&MediaKind::Image].0["English"], "age.png");
    assert!(
        warnings.iter().all(|warning| warning.contains("\"short\"")),
        "{warnings:?}"
    );
}

#[test]
fn a_repeat_without_template_or_path_of_its_group() {
    let (form, warnings) = read("repeat-by-hand");
    let member = node(&form, "member");
    assert_eq!(member.kind, NodeKind::Repeat);
    assert_eq!(member.label.as_plain(), Some("Thành viên"));
    assert_eq!(member.repeat_count.as_deref(), Some("${n}"));
    assert_eq!(member.attributes.control["jr:noAddRemove"], "true()");
    let age = node(&form, "age");
    assert_eq!(age.relevant.as_deref(), Some("${name} != ''"));
    assert_eq!(age.constraint.as_deref(), Some(". <${n}* 100"));
    assert_eq!(form.nodes()[age.parent.unwrap()].name, "member");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_list_keeps_the_columns_by_which_it_is_filtered() {
    let (form, _) = read("cascade-by-hand");
    let commune = node(&form, "c");
    assert_eq!(commune.kind, NodeKind::SelectOne { list: "places".into() });
    assert_eq!(commune.choice_filter.as_deref(), Some("in=${p}"));
    assert_eq!(commune.parameters["randomize"], "true");
    let first = &form.definition().choices["places"][0];
    assert_eq!((first.name.as_str(), first.label.as_plain()), ("t1", Some("Xã 1")));
    assert_eq!(first.other["in"], "tg");
    assert_eq!(first.other["code"], "t1");
}

#[test]
fn an_expression_in_a_text_is_computed_by_a_row() {
    let (form, warnings) = read("expression-in-label");
    assert_eq!(
        node(&form, "b").label.as_plain(),
        Some("Gấp đôi ${generated_output_1} là?")
    );
    let computed = node(&form, "generated_output_1");
    assert_eq!(computed.kind, NodeKind::Calculate);
    assert_eq!(computed.calculation.as_deref(), Some("${a} * 2"));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn actions_are_defaults_and_triggers() {
    let (form, _) = read("actions");
    assert_eq!(node(&form, "b").default.as_deref(), Some("now()"));
    let set = node(&form, "c");
    assert_eq!(
        (set.kind.clone(), set.default.as_deref()),
        (NodeKind::Calculate, Some("gốc"))
    );
    assert_eq!(set.calculation.as_deref(), Some("concat('A', ${a})"));
    assert_eq!(set.triggers, ["a"]);
    // An action without a value clears.
    assert_eq!(
        (node(&form, "e").kind.clone(), node(&form, "e").triggers.as_slice()),
        (NodeKind::Hidden, ["a".to_owned()].as_slice())
    );
    assert_eq!(node(&form, "e").calculation, None);
    // A text that looks like a calculation stays a text.
    assert_eq!(node(&form, "d").default.as_deref(), Some("string('5 - 3')"));
}

#[test]
fn paths_to_names_that_several_elements_have_stay_paths() {
    let (form, _) = read("same-names");
    assert_eq!(node(&form, "sum").calculation.as_deref(), Some("/data/g/x + /data/h/x"));
    assert_eq!(node(&form, "sum").kind, NodeKind::Integer);
    let second = form.nodes().iter().rfind(|node| node.name == "x").unwrap();
    assert_eq!(second.relevant.as_deref(), Some("/data/g/x > 1"));
}

#[test]
fn controls_keep_what_their_kind_does_not_say() {
    let (form, _) = read("uploads-and-ranges");
    assert_eq!(node(&form, "p").kind, NodeKind::Image);
    assert_eq!(node(&form, "p").parameters["max-pixels"], "640");
    assert_eq!(node(&form, "v").kind, NodeKind::File);
    assert_eq!(node(&form, "v").attributes.control["mediatype"], "text/csv");
    assert_eq!(node(&form, "r").kind, NodeKind::Range);
    assert_eq!(node(&form, "r").parameters["step"], "0.5");
    assert_eq!(node(&form, "t").kind, NodeKind::Acknowledge);
    assert_eq!(node(&form, "k").attributes.bind["type"], "boolean");
}

#[test]
fn what_servers_add_is_kept() {
    let (form, warnings) = read("kobo");
    assert_eq!(names(&form), ["formhub", "uuid", "start", "name", "__version__"]);
    assert_eq!(node(&form, "uuid").calculation.as_deref(), Some("'0123'"));
    assert_eq!(node(&form, "formhub").kind, NodeKind::Group);
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn entities_are_declared() {
    let text = form(
        "<name/><which/>",
        "<bind nodeset='/data/name' type='string' xmlns:entities='http://www.opendatakit.org/xforms/entities'
           entities:saveto='full_name'/>
         <bind nodeset='/data/which' type='string'/>
         <bind nodeset='/data/orx:meta/entity/@id' calculate='/data/which'/>
         <bind nodeset='/data/orx:meta/entity/label' calculate='/data/name'/>",
        "<input ref='/data/name'><label>Tên</label></input><input ref='/data/which'><label>Mã</label></input>",
    );
    let text = text.replace(
        "<orx:instanceID/>",
        "<orx:instanceID/><entity dataset='people' update='1' id='' baseVersion=''><label/></entity>",
    );
    let form = xform::read(&text).unwrap();
    let mut found = form.definition().entities.clone();
    found[0].row = 0;
    let expected = EntityDeclaration {
        list_name: "people".into(),
        label: Some("${name}".into()),
        entity_id: Some("${which}".into()),
        ..EntityDeclaration::default()
    };
    assert_eq!(found, [expected]);
    assert_eq!(node(&form, "name").save_to.as_deref(), Some("full_name"));
}

#[test]
fn odk_validate_accepts_what_is_written_of_them() {
    let nothing: [&Path; 0] = [];
    let validator = oracles::pyxform(&nothing).validator;
    let forms: Vec<(&str, String, String)> = all()
        .into_iter()
        .map(|(name, text)| {
            let written = xform::write(&xform::read(&text).unwrap());
            (name, text, written)
        })
        .collect();
    let theirs = forms
        .iter()
        .map(|(name, text, _)| (format!("{name}-by-hand"), text.as_str()));
    let ours = forms
        .iter()
        .map(|(name, _, written)| (format!("{name}-written"), written.as_str()));
    let all: Vec<(String, &str)> = theirs.chain(ours).collect();
    let named: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let (refused, said) = oracles::odk_validate(&validator, &named);
    assert!(refused.is_empty(), "{refused:?}\n{said}");
}
