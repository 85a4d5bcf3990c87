//! A serial port (16550).

use rt::cap::{IoPort, IrqHandler};

/// The first port of COM1.
pub const COM1: u16 = 0x3f8;
/// The first port of COM2.
pub const COM2: u16 = 0x2f8;

/// Registers, as offsets from the first port.
const DATA: u16 = 0;
const INTERRUPT_ENABLE: u16 = 1;
const FIFO_CONTROL: u16 = 2;
const LINE_CONTROL: u16 = 3;
const MODEM_CONTROL: u16 = 4;
const LINE_STATUS: u16 = 5;

/// Interrupt when bytes have come in.
const RECEIVED: u8 = 1;
/// Interrupt when the transmit FIFO is empty.
const TRANSMITTED: u8 = 2;
/// Eight bits; with the second, registers 0 and 1 are the divisor of the clock.
const EIGHT_BITS: u8 = 0x03;
const DIVISOR: u8 = 0x80;
/// FIFOs on and emptied; interrupt at 14 bytes, or when the line has gone quiet.
const FIFO_ON: u8 = 0xc7;
/// DTR, RTS, and the line that lets interrupts out.
const READY: u8 = 0x0b;
/// Line status: a byte has come in.
const DATA_READY: u8 = 1;
/// Line status: the transmit FIFO is empty.
const TRANSMITTER_EMPTY: u8 = 0x20;
/// How many bytes the transmit FIFO takes.
const FIFO: usize = 16;

/// How often to look for the first byte of the input. It is on its way before the machine starts.
const PATIENCE: u32 = 20_000;

/// A port.
pub struct Serial {
    ports: IoPort,
    base: u16,
    irq: IrqHandler,
}

impl Serial {
    /// Switches the port on.
    ///
    /// The first byte that comes in is not input (the machine's command line says why): until it
    /// is there the FIFO has to stay off, and switching it on throws the byte away.
    pub fn start(ports: IoPort, base: u16, irq: IrqHandler) -> Serial {
        let port = Serial { ports, base, irq };
        (0..PATIENCE).find(|_| port.input(LINE_STATUS) & DATA_READY != 0);
        port.output(FIFO_CONTROL, FIFO_ON);
        port.output(MODEM_CONTROL, READY);
        port.output(INTERRUPT_ENABLE, RECEIVED);
        port.ack();
        port
    }

    /// Switches a port on that may not be there, at its highest speed: the receiver waits for as long as
    /// four bytes take before it says that less than 14 have come. Nothing need come ahead here: what may
    /// get lost is a byte that a debugger sends before there is anybody to hear it.
    pub fn start_line(ports: IoPort, base: u16, irq: IrqHandler) -> Option<Serial> {
        let port = Serial { ports, base, irq };
        // Where there is no device every bit reads as set.
        if port.input(LINE_STATUS) == 0xff {
            return None;
        }
        port.output(LINE_CONTROL, EIGHT_BITS | DIVISOR);
        port.output(DATA, 1);
        port.output(INTERRUPT_ENABLE, 0);
        port.output(LINE_CONTROL, EIGHT_BITS);
        port.output(FIFO_CONTROL, FIFO_ON);
        port.output(MODEM_CONTROL, READY);
        port.output(INTERRUPT_ENABLE, RECEIVED);
        port.ack();
        Some(port)
    }

    /// Sends bytes that the port takes at once; how many. It interrupts when it takes more.
    pub fn send(&self, bytes: &[u8]) -> usize {
        for (sent, chunk) in bytes.chunks(FIFO).enumerate() {
            if self.input(LINE_STATUS) & TRANSMITTER_EMPTY == 0 {
                // An interrupt that comes at once, because the FIFO is empty by now, is welcome.
                self.output(INTERRUPT_ENABLE, RECEIVED | TRANSMITTED);
                return sent * FIFO;
            }
            for &byte in chunk {
                self.output(DATA, byte);
            }
        }
        bytes.len()
    }

    /// Interrupts only for bytes that come in again.
    pub fn sent(&self) {
        self.output(INTERRUPT_ENABLE, RECEIVED);
    }

    /// Sends bytes. Waits until the port has taken them.
    pub fn write(&self, bytes: &[u8]) {
        for chunk in bytes.chunks(FIFO) {
            while self.input(LINE_STATUS) & TRANSMITTER_EMPTY == 0 {}
            for &byte in chunk {
                self.output(DATA, byte);
            }
        }
    }

    /// Takes bytes that have come in; how many.
    pub fn read(&self, buffer: &mut [u8]) -> usize {
        let mut count = 0;
        while count < buffer.len() && self.input(LINE_STATUS) & DATA_READY != 0 {
            buffer[count] = self.input(DATA);
            count += 1;
        }
        count
    }

    /// Lets the interrupt come again.
    pub fn ack(&self) {
        self.irq.ack().expect("it is this port's");
    }

    fn input(&self, register: u16) -> u8 {
        self.ports
            .in8(self.base + register)
            .expect("the ports are this port's")
    }

    fn output(&self, register: u16, value: u8) {
        self.ports
            .out8(self.base + register, value)
            .expect("the ports are this port's");
    }
}
