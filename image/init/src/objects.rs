//! The kernel objects that servers share.

use crate::bootinfo::{IRQ_CONTROL, ROOT};
use crate::memory::Memory;
use rt::cap::{CPtr, IrqHandler, Notification, ObjectType};
use rt::slots::procmgr::{CONSOLE_BADGE, TIMER_BADGE};

/// All of them, in the root task's CSpace.
pub struct Objects {
    /// The root task's endpoint.
    pub supervisor: CPtr,
    /// procmgr's endpoint.
    pub procmgr_endpoint: CPtr,
    /// The tracer's endpoint.
    pub tracer_endpoint: CPtr,
    /// The notification that is bound to procmgr.
    pub procmgr_notification: CPtr,
    /// The notification that is bound to the tracer.
    pub tracer_notification: CPtr,
    /// The timer's interrupt.
    pub timer_irq: CPtr,
    /// COM1's interrupt.
    pub console_irq: CPtr,
    /// COM2's interrupt.
    pub debugger_irq: CPtr,
}

/// Pins of the I/O APIC. ISA interrupt 0 is wired to pin 2.
const TIMER_PIN: u64 = 2;
const COM1_PIN: u64 = 4;
const COM2_PIN: u64 = 3;

impl Objects {
    /// Makes them.
    pub fn new(memory: &mut Memory) -> Objects {
        let procmgr_notification = memory.object(ObjectType::Notification, 0);
        Objects {
            supervisor: memory.object(ObjectType::Endpoint, 0),
            procmgr_endpoint: memory.object(ObjectType::Endpoint, 0),
            tracer_endpoint: memory.object(ObjectType::Endpoint, 0),
            procmgr_notification,
            tracer_notification: memory.object(ObjectType::Notification, 0),
            timer_irq: interrupt(memory, TIMER_PIN, procmgr_notification, TIMER_BADGE),
            console_irq: interrupt(memory, COM1_PIN, procmgr_notification, CONSOLE_BADGE),
            debugger_irq: interrupt(memory, COM2_PIN, procmgr_notification, CONSOLE_BADGE),
        }
    }
}

/// The handler of a pin, which signals a badged copy of the notification. The vector is chosen to
/// be the pin.
fn interrupt(memory: &mut Memory, pin: u64, notification: CPtr, badge: u64) -> CPtr {
    let slot = memory.slot();
    IRQ_CONTROL
        .io_apic(pin, pin, ROOT, slot)
        .expect("nobody has it yet");
    let signal = memory.mint(notification, badge);
    let handler = IrqHandler::at(slot);
    handler
        .set_notification(Notification(signal))
        .expect("it is a notification");
    handler.0
}
