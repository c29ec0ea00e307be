//! The log as the file `audit.csv` of ODK Collect (ODK XForms, "Client Audit Logs"; `AuditEventSaveTask` of Collect for the
//! order of the columns).

use super::{Audit, AuditRequest, EventKind};

impl EventKind {
    fn name(self) -> &'static str {
        match self {
            Self::FormStart => "form start",
            Self::FormResume => "form resume",
            Self::FormSave => "form save",
            Self::FormExit => "form exit",
            Self::FormFinalize => "form finalize",
            Self::Question => "question",
            Self::GroupQuestions => "group questions",
            Self::AddRepeat => "add repeat",
            Self::DeleteRepeat => "delete repeat",
            Self::EndScreen => "end screen",
            Self::Jump => "jump",
            Self::ConstraintError => "constraint error",
            Self::LocationTrackingEnabled => "location tracking enabled",
            Self::LocationTrackingDisabled => "location tracking disabled",
            Self::LocationPermissionsGranted => "location permissions granted",
            Self::LocationPermissionsNotGranted => "location permissions not granted",
        }
    }
}

impl Audit {
    /// The events as the file that Collect would write. `user` is the volunteer's name.
    pub(crate) fn file(&self, user: &str) -> String {
        let AuditRequest {
            locations,
            tracks_changes,
            identifies_user,
            has_reasons,
        } = &self.request;
        let mut header = vec!["event", "node", "start", "end"];
        if locations.is_some() {
            header.extend(["latitude", "longitude", "accuracy"]);
        }
        if *tracks_changes {
            header.extend(["old-value", "new-value"]);
        }
        header.extend(identifies_user.then_some("user"));
        header.extend(has_reasons.then_some("change-reason"));
        let mut file = header.join(",");
        file.push('\n');
        for (_, event) in &self.events {
            let end = event.end.map_or_else(String::new, |end| end.to_string());
            let mut cells = vec![
                event.kind.name().to_owned(),
                cell(&event.node),
                event.start.to_string(),
                end,
            ];
            if locations.is_some() {
                cells.extend(match event.position {
                    Some((latitude, longitude, accuracy)) => {
                        [latitude, longitude, accuracy].map(|number| number.to_string())
                    }
                    None => Default::default(),
                });
            }
            if *tracks_changes {
                // As in Collect: an answer that is the same as before is no change.
                let changed = event.old != event.new;
                cells.extend([&event.old, &event.new].map(|value| if changed { cell(value) } else { String::new() }));
            }
            cells.extend(identifies_user.then(|| cell(user)));
            cells.extend(has_reasons.then(String::new));
            file.push_str(&cells.join(","));
            file.push('\n');
        }
        file
    }
}

/// A value as a cell: in quotes where it has a comma or a line break, as the specification says, and where it begins with a
/// quote, which nobody could read otherwise.
fn cell(value: &str) -> String {
    if value.contains([',', '\n', '\r']) || value.starts_with('"') {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}
