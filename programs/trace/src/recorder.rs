//! Where records go: into files here, out of the machine, or among the lines of the trace.

use trace::drawing::Drawing;
use trace::record::Record;

use crate::output::{Output, SharedExporter};
use crate::settings::Settings;

/// What becomes of the records.
pub struct Recorder {
    drawing: Option<Drawing>,
    exporter: Option<SharedExporter>,
    in_text: bool,
}

impl Recorder {
    /// A recorder as the options say.
    ///
    /// # Errors
    /// A message where a file cannot be made.
    pub fn new(settings: &Settings, exporter: Option<&SharedExporter>) -> Result<Recorder, String> {
        let wanted = settings.options.wanted();
        let drawn_here = !wanted.is_nothing() && exporter.is_none();
        Ok(Recorder {
            exporter: exporter.filter(|_| !wanted.is_nothing()).cloned(),
            drawing: match drawn_here {
                true => Some(Drawing::new(wanted)?),
                false => None,
            },
            in_text: settings.options.json_is_text(),
        })
    }

    /// Somebody wants records.
    pub fn is_wanted(&self) -> bool {
        self.in_text || self.drawing.is_some() || self.exporter.is_some()
    }

    /// Takes a record.
    pub fn take(&mut self, record: Record, output: &mut Output) {
        if self.in_text {
            output.whole(record.tid, &record.line());
        }
        if let Some(exporter) = &self.exporter {
            // As with the text: nobody listening is no reason to stop.
            let _ = exporter.borrow_mut().record(&record);
        }
        if let Some(drawing) = &mut self.drawing {
            drawing.take(record);
        }
    }

    /// Draws what is drawn at the end.
    ///
    /// # Errors
    /// A message where a file cannot be written.
    pub fn finish(self) -> Result<(), String> {
        self.drawing.map_or(Ok(()), Drawing::finish)
    }
}
