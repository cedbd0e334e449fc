//! What a run tells of its data and of itself.

use super::{NAMED_FAULTS, Run};
use crate::run_directory::RunEvent;
use crate::two_tower::TwoTower;

impl<M: TwoTower + ?Sized> Run<'_, '_, M> {
    pub(super) fn warn_of_faults(&mut self) {
        for fault in self.worker.source.take_faults() {
            if self.named_faults < NAMED_FAULTS {
                self.named_faults += 1;
                self.warn(fault.to_string());
            }
        }
    }

    /// The count of what was skipped, when it has grown.
    pub(super) fn tell_skipped(&mut self) {
        let counts = self.worker.source.fault_counts();
        if counts.skipped() > self.skipped {
            self.skipped = counts.skipped();
            let (skipped, shards, samples) = (counts.skipped(), counts.shards(), counts.samples);
            self.warn(format!("{skipped} of {samples} samples were skipped so far, and {shards} shards had faults"));
        }
    }

    pub(super) fn warn(&mut self, message: String) {
        self.tell(RunEvent::Warning { message });
    }

    pub(super) fn tell(&mut self, event: RunEvent) {
        self.worker.host.hear(&event);
        self.writer.tell(event);
    }
}
