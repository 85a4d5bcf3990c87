//! The timer: channel 0 of the PIT, one shot at a time.

use rt::cap::{IoPort, IrqHandler};
use rt::slots::procmgr::{TIMER_IRQ, TIMER_PORTS};

const CHANNEL_0: u16 = 0x40;
const MODE: u16 = 0x43;
/// Channel 0, both bytes of the count, mode 0: one interrupt when the count is over.
const ONE_SHOT: u8 = 0x30;
/// Counts per second.
const FREQUENCY: u64 = 1_193_182;
/// The longest count, about 55 ms.
const MAX_COUNT: u64 = 0xffff;

/// The timer.
pub struct Timer {
    deadline: Option<u64>,
    /// When the shot comes that is on its way.
    armed: Option<u64>,
}

impl Timer {
    /// Stops what the firmware has started. A tick of it that came before the interrupt had a
    /// notification left the pin masked and told nobody, so it is acknowledged here.
    pub fn new() -> Timer {
        out(MODE, ONE_SHOT);
        acknowledge();
        Timer {
            deadline: None,
            armed: None,
        }
    }

    /// Changes the deadline.
    pub fn set(&mut self, deadline: Option<u64>, now: u64) {
        self.deadline = deadline;
        self.arm(now);
    }

    /// The interrupt has come: whether the deadline has, which is no more then.
    pub fn fired(&mut self, now: u64) -> bool {
        self.armed = None;
        acknowledge();
        let over = self.deadline.is_some_and(|deadline| deadline <= now);
        if over {
            self.deadline = None;
        }
        self.arm(now);
        over
    }

    /// Sees to it that a shot comes at the deadline or before. One that comes early costs an
    /// interrupt; changing one costs three system calls.
    fn arm(&mut self, now: u64) {
        let Some(deadline) = self.deadline else {
            return;
        };
        if self.armed.is_some_and(|armed| armed <= deadline) {
            return;
        }
        let distance = deadline.saturating_sub(now).min(1_000_000_000);
        let count = (distance * FREQUENCY)
            .div_ceil(1_000_000_000)
            .clamp(1, MAX_COUNT);
        out(MODE, ONE_SHOT);
        out(CHANNEL_0, count as u8);
        out(CHANNEL_0, (count >> 8) as u8);
        self.armed = Some(now + count * 1_000_000_000 / FREQUENCY);
    }
}

/// Lets the next interrupt come.
fn acknowledge() {
    IrqHandler::at(TIMER_IRQ).ack().expect("it is the timer's");
}

fn out(port: u16, value: u8) {
    IoPort::at(TIMER_PORTS)
        .out8(port, value)
        .expect("the ports are the timer's");
}
