//! Random operations compared with a naive model, each with memory running out at every
//! allocation it makes before it is let through.

use crate::machine::{ARCHIVE_PAGES, Fake, archive_byte};
use crate::{BASE, RW, execute, load, store};
use abi::Errno;
use abi::fs::{ARCHIVE, Direction, FileRange, ObjectId};
use abi::linux::general::{
    MADV_DONTNEED, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MREMAP_FIXED, MREMAP_MAYMOVE, PROT_EXEC,
    PROT_NONE, PROT_READ, PROT_WRITE,
};
use procmgr::machine::{PAGE, SpaceIx};
use procmgr::memory::{MapRequest, Memory, MemoryFault, Source};
use std::collections::BTreeMap;

const SIZE: usize = PAGE as usize;
const RX: u32 = PROT_READ | PROT_EXEC;
/// How many pages of address space are played in.
const AREA: u64 = 16;
/// How many files there are, not counting the archive.
const FILES: usize = 2;
const SEEDS: u64 = 40;
const STEPS: usize = 250;

/// The bytes of an object, in whole pages, and its size.
#[derive(Clone, Default, PartialEq)]
struct Bytes {
    data: Vec<u8>,
    size: usize,
}

/// What one page of a space means.
#[derive(Clone)]
struct Page {
    prot: u32,
    shared: bool,
    may_write: bool,
    /// The object, named by its number in the model, and the page of it.
    from: Option<(usize, usize)>,
    own: Option<Box<[u8; SIZE]>>,
}

#[derive(Default)]
struct Model {
    /// The archive, the files, then what shared anonymous mappings made.
    objects: Vec<Bytes>,
    spaces: BTreeMap<SpaceIx, BTreeMap<u64, Page>>,
}

impl Bytes {
    fn resize(&mut self, size: usize) {
        let pages = size.next_multiple_of(SIZE);
        if size < self.size && self.data.len() > size {
            self.data.truncate(pages);
            self.data[size..].fill(0);
        }
        if self.data.len() < pages {
            self.data.resize(pages, 0);
        }
        self.size = size;
    }
}

impl Model {
    /// A page's contents; none when it is behind its file's end.
    fn contents(&self, page: &Page) -> Option<[u8; SIZE]> {
        match (&page.own, page.from) {
            (Some(own), _) => Some(**own),
            (None, None) => Some([0; SIZE]),
            (None, Some((object, index))) => {
                let object = &self.objects[object];
                let at = index * SIZE;
                (at < object.size).then(|| object.data[at..][..SIZE].try_into().unwrap())
            }
        }
    }

    /// Whether a byte can be read or written, and what it is.
    fn byte(&self, s: SpaceIx, addr: u64, need: u32, force: bool) -> Result<u8, MemoryFault> {
        let page = self.spaces[&s]
            .get(&(addr / PAGE))
            .ok_or(MemoryFault::NotMapped)?;
        let write = need & PROT_WRITE != 0;
        let execute = need & PROT_EXEC != 0;
        let denied = match force {
            true => write && page.shared && page.prot & PROT_WRITE == 0,
            false if write => page.prot & PROT_WRITE == 0,
            false if execute => page.prot & PROT_EXEC == 0,
            false => page.prot == 0,
        };
        if denied {
            return Err(MemoryFault::Denied);
        }
        let contents = self.contents(page).ok_or(MemoryFault::Bus)?;
        Ok(contents[(addr % PAGE) as usize])
    }

    /// Stores bytes where it was found that they can be.
    fn put(&mut self, s: SpaceIx, addr: u64, bytes: &[u8]) {
        for (i, &byte) in bytes.iter().enumerate() {
            let at = addr + i as u64;
            let page = &self.spaces[&s][&(at / PAGE)];
            let (shared, from) = (page.shared, page.from);
            let skip = (at % PAGE) as usize;
            if shared {
                let (object, index) = from.unwrap();
                self.objects[object].data[index * SIZE + skip] = byte;
            } else {
                let mut contents = self.contents(page).unwrap();
                contents[skip] = byte;
                let pages = self.spaces.get_mut(&s).unwrap();
                pages.get_mut(&(at / PAGE)).unwrap().own = Some(Box::new(contents));
            }
        }
    }

    /// How many bytes from an address on can be accessed, and what they are.
    fn run(&self, s: SpaceIx, addr: u64, len: usize, need: u32, force: bool) -> Vec<u8> {
        (addr..addr + len as u64)
            .map_while(|at| self.byte(s, at, need, force).ok())
            .collect()
    }
}

/// A seeded generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

struct Game {
    m: Fake,
    memory: Memory,
    model: Model,
    random: Random,
    files: [ObjectId; FILES],
}

/// How an operation went, with what the model is to do about it.
type Outcome = Result<(), OutOfMemory>;
struct OutOfMemory;

/// An errno that is expected, or the one for running out.
fn passed<T>(result: Result<T, Errno>) -> Result<Result<T, Errno>, OutOfMemory> {
    match result {
        Err(Errno::ENOMEM | Errno::ENOSPC) => Err(OutOfMemory),
        other => Ok(other),
    }
}

#[test]
fn random_operations_agree_with_the_model() {
    for seed in 1..=SEEDS {
        let played = std::panic::catch_unwind(|| Game::new(seed).play());
        assert!(played.is_ok(), "seed {seed}");
    }
}

impl Game {
    fn new(seed: u64) -> Game {
        let (mut m, mut memory) = (Fake::new(2048), Memory::new());
        let s = memory.space_new(&mut m).unwrap();
        let files = std::array::from_fn(|_| memory.object_create().unwrap());
        let mut model = Model::default();
        let archive = (0..ARCHIVE_PAGES)
            .flat_map(|page| (0..SIZE).map(move |at| archive_byte(page, at)))
            .collect();
        model.objects.push(Bytes {
            data: archive,
            size: 3 * SIZE + 100,
        });
        model.objects.resize(1 + FILES, Bytes::default());
        model.spaces.insert(s, BTreeMap::new());
        Game {
            m,
            memory,
            model,
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            files,
        }
    }

    fn play(mut self) {
        let start = self.m.free();
        for _ in 0..STEPS {
            let before = self.random.0;
            for n in 0.. {
                // The same operation again, with one more allocation that succeeds.
                self.random.0 = before;
                self.m.fail_after = Some(n);
                let outcome = self.step();
                self.m.fail_after = None;
                if outcome.is_ok() {
                    break;
                }
                self.compare();
            }
            self.compare();
        }
        for &s in self.model.spaces.keys() {
            self.memory.space_release(&mut self.m, s);
        }
        for id in self.files {
            self.memory.object_release(&mut self.m, id).unwrap();
        }
        assert!(self.m.free() + 1 >= start, "only the frame of zeros stays");
    }

    /// One operation on both; nothing on the model if memory ran out.
    fn step(&mut self) -> Outcome {
        let spaces: Vec<SpaceIx> = self.model.spaces.keys().copied().collect();
        let s = self.random.one_of(&spaces);
        let page = BASE / PAGE + self.random.below(AREA);
        let pages = 1 + self.random.below(5);
        let byte = PAGE * page + self.random.one_of(&[0, 1, 5, 2000, 4090, 4095]);
        // Accesses are most, and most of them where something is.
        let there: Vec<u64> = self.model.spaces[&s].keys().copied().collect();
        let byte = match self.random.below(4) {
            0 => byte,
            _ if there.is_empty() => byte,
            _ => self.random.one_of(&there) * PAGE + byte % PAGE,
        };
        match self.random.below(30) {
            0 | 1 => self.map(s, page, pages),
            2 => self.unmap(s, page, pages),
            3 | 4 => self.protect(s, page, pages),
            5 if spaces.len() < 4 => self.fork(s),
            5 if spaces.len() > 1 => self.release(s),
            6 => self.truncate(),
            7 => self.remap(s, page, pages),
            8 => self.forget(s, page, pages),
            9..12 => self.transfer(s, byte),
            12..15 => self.write(s, byte),
            15..19 => self.load(s, byte),
            19..22 => self.execute(s, byte),
            29 => self.dump(s, byte / PAGE, pages),
            _ => self.store(s, byte),
        }
    }

    fn map(&mut self, s: SpaceIx, page: u64, pages: u64) -> Outcome {
        let prot = self
            .random
            .one_of(&[RW, RW, RW, RX, RW | PROT_EXEC, PROT_READ, PROT_NONE]);
        let shared = self.random.below(2) == 1;
        let file = self.random.below(FILES as u64 + 2) as usize;
        let first = self.random.below(3);
        let may_write = self.random.below(2) == 1;
        let (source, object) = match file {
            0 => (file_range(ARCHIVE, 3 * PAGE + 100), Some(0)),
            i if i <= FILES => {
                let size = self.model.objects[i].size as u64;
                (file_range(self.files[i - 1], size), Some(i))
            }
            _ if shared => (Source::Anonymous, Some(self.model.objects.len())),
            _ => (Source::Anonymous, None),
        };
        let source = match source {
            Source::File { range, .. } => Source::File {
                range,
                offset: first * PAGE,
                may_write,
            },
            Source::Anonymous => source,
        };
        let anonymous = source == Source::Anonymous;
        let request = MapRequest {
            addr: page * PAGE,
            len: pages * PAGE - 7,
            prot,
            flags: MAP_FIXED | if shared { MAP_SHARED } else { MAP_PRIVATE },
            source,
        };
        let may_write = !shared || anonymous || may_write && file != 0;
        let expected = match prot & PROT_WRITE != 0 && !may_write {
            true => Err(Errno::EACCES),
            false => Ok(page * PAGE),
        };
        let result = passed(self.memory.map(&mut self.m, s, &request))?;
        assert_eq!(result, expected);
        if result.is_err() {
            return Ok(());
        }
        if anonymous && shared {
            let mut bytes = Bytes::default();
            bytes.resize(pages as usize * SIZE);
            self.model.objects.push(bytes);
        }
        let first = if anonymous { 0 } else { first };
        for i in 0..pages {
            let new = Page {
                prot,
                shared,
                may_write,
                from: object.map(|object| (object, (first + i) as usize)),
                own: None,
            };
            self.pages(s).insert(page + i, new);
        }
        Ok(())
    }

    fn unmap(&mut self, s: SpaceIx, page: u64, pages: u64) -> Outcome {
        let result = self.memory.unmap(&mut self.m, s, page * PAGE, pages * PAGE);
        assert_eq!(result, Ok(()));
        self.pages(s)
            .retain(|at, _| !(page..page + pages).contains(at));
        Ok(())
    }

    fn protect(&mut self, s: SpaceIx, page: u64, pages: u64) -> Outcome {
        let prot = self
            .random
            .one_of(&[RW, RX, RW | PROT_EXEC, PROT_READ, PROT_NONE]);
        let result = self
            .memory
            .protect(&mut self.m, s, page * PAGE, pages * PAGE, prot);
        let mut expected = Ok(());
        for at in page..page + pages {
            match self.pages(s).get_mut(&at) {
                None => expected = Err(Errno::ENOMEM),
                Some(page) if prot & PROT_WRITE != 0 && !page.may_write => {
                    expected = Err(Errno::EACCES);
                }
                Some(page) => page.prot = prot,
            }
            if expected.is_err() {
                break;
            }
        }
        assert_eq!(result, expected);
        Ok(())
    }

    fn store(&mut self, s: SpaceIx, addr: u64) -> Outcome {
        let value = self.random.below(256) as u8;
        let expected = self.model.byte(s, addr, PROT_WRITE, false).map(|_| ());
        let result = store(&mut self.m, &mut self.memory, s, addr, value);
        if result == Err(MemoryFault::NoMemory) {
            return Err(OutOfMemory);
        }
        assert_eq!(result, expected);
        if result.is_ok() {
            self.model.put(s, addr, &[value]);
        }
        Ok(())
    }

    fn load(&mut self, s: SpaceIx, addr: u64) -> Outcome {
        let result = load(&mut self.m, &mut self.memory, s, addr);
        if result == Err(MemoryFault::NoMemory) {
            return Err(OutOfMemory);
        }
        assert_eq!(result, self.model.byte(s, addr, PROT_READ, false));
        Ok(())
    }

    fn execute(&mut self, s: SpaceIx, addr: u64) -> Outcome {
        let result = execute(&mut self.m, &mut self.memory, s, addr);
        if result == Err(MemoryFault::NoMemory) {
            return Err(OutOfMemory);
        }
        let expected = self.model.byte(s, addr, PROT_READ, false);
        let expected = expected.and_then(|_| self.model.byte(s, addr, PROT_EXEC, false));
        assert_eq!(result, expected.map(|_| ()));
        Ok(())
    }

    /// A write by a system call or a tracer; without memory it is shorter.
    fn write(&mut self, s: SpaceIx, addr: u64) -> Outcome {
        let force = self.random.below(2) == 1;
        let len = self.random.one_of(&[1, 300, SIZE + 9]);
        let bytes: Vec<u8> = (0..len).map(|i| (i * 3 + 1) as u8).collect();
        let expected = self.model.run(s, addr, len, PROT_WRITE, force).len();
        let done = match force {
            true => self.memory.poke(&mut self.m, s, addr, &bytes),
            false => self.memory.write(&mut self.m, s, addr, &bytes),
        };
        self.model.put(s, addr, &bytes[..done]);
        let ran_out = done < expected && self.m.fail_after.is_none();
        if ran_out {
            return Err(OutOfMemory);
        }
        assert_eq!(done, expected);
        Ok(())
    }

    fn fork(&mut self, s: SpaceIx) -> Outcome {
        let child = passed(self.memory.space_fork(&mut self.m, s))?.unwrap();
        let copy = self.model.spaces[&s].clone();
        assert!(self.model.spaces.insert(child, copy).is_none());
        Ok(())
    }

    fn release(&mut self, s: SpaceIx) -> Outcome {
        self.memory.space_release(&mut self.m, s);
        self.model.spaces.remove(&s);
        Ok(())
    }

    fn truncate(&mut self) -> Outcome {
        let file = 1 + self.random.below(FILES as u64) as usize;
        let size = self.random.below(5 * PAGE) as usize;
        let id = self.files[file - 1];
        // The rest of a page that is shared with a space has to be cleared in a copy.
        passed(self.memory.object_truncate(&mut self.m, id, size as u64))?.unwrap();
        let object = &mut self.model.objects[file];
        let shrinks = size < object.size;
        object.resize(size);
        for page in self.model.spaces.values_mut().flat_map(|s| s.values_mut()) {
            if let Some((object, index)) = page.from
                && shrinks
                && object == file
                && index * SIZE >= size
            {
                page.own = None;
            }
        }
        Ok(())
    }

    fn transfer(&mut self, s: SpaceIx, addr: u64) -> Outcome {
        let file = 1 + self.random.below(FILES as u64) as usize;
        let len = self.random.one_of(&[1, 1000, SIZE, 2 * SIZE + 5]);
        let offset = self.random.one_of(&[0, 3, SIZE, 2 * SIZE - 1]);
        let to_task = self.random.below(2) == 1;
        if self.maps(s, addr, len, file) {
            // Bytes onto themselves, shifted, have no defined result.
            return Ok(());
        }
        let id = self.files[file - 1];
        let (m, at) = (&mut self.m, offset as u64);
        let (need, way) = match to_task {
            true => (PROT_WRITE, Direction::ToTask),
            false => (PROT_READ, Direction::FromTask),
        };
        let there = self.model.run(s, addr, len, need, false);
        let result = self.memory.transfer(m, s, addr, len as u64, id, at, way);
        let done = match result {
            Err(Errno::ENOMEM | Errno::ENOSPC) => return Err(OutOfMemory),
            Err(errno) => {
                assert_eq!((errno, there.len()), (Errno::EFAULT, 0));
                return Ok(());
            }
            Ok(done) => done as usize,
        };
        let object = &mut self.model.objects[file];
        if to_task {
            let mut bytes = vec![0; done];
            for (i, byte) in bytes.iter_mut().enumerate() {
                *byte = object.data.get(offset + i).copied().unwrap_or(0);
            }
            self.model.put(s, addr, &bytes);
        } else {
            let size = object.size.max(offset + done);
            object.resize(size);
            object.data[offset..][..done].copy_from_slice(&there[..done]);
        }
        if done < there.len() && self.m.fail_after.is_none() {
            return Err(OutOfMemory);
        }
        assert_eq!(done, there.len());
        Ok(())
    }

    /// Moves pages of one kind to a place of their own.
    fn remap(&mut self, s: SpaceIx, page: u64, pages: u64) -> Outcome {
        let to = BASE / PAGE + (page - BASE / PAGE + AREA / 2) % AREA;
        let one = |at: &u64| (page..page + pages).contains(at);
        let there: Vec<Page> = self.model.spaces[&s]
            .iter()
            .filter(|(at, _)| one(at))
            .map(|(_, page)| page.clone())
            .collect();
        let alike = there.windows(2).all(|pair| follows(&pair[0], &pair[1]));
        let apart = page + pages <= to || to + pages <= page;
        if there.len() != pages as usize || !alike || !apart {
            return Ok(());
        }
        let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
        let len = pages * PAGE;
        let result = self
            .memory
            .remap(&mut self.m, s, page * PAGE, len, len, flags, to * PAGE);
        // The target is emptied even when memory runs out, as in Linux.
        let pages = self.model.spaces.get_mut(&s).unwrap();
        pages.retain(|at, _| !(to..to + there.len() as u64).contains(at));
        assert_eq!(passed(result)?, Ok(to * PAGE));
        pages.retain(|at, _| !one(at));
        pages.extend((to..).zip(there));
        Ok(())
    }

    /// Makes a file of a range of pages of one kind, as a core dump does.
    fn dump(&mut self, s: SpaceIx, page: u64, pages: u64) -> Outcome {
        let file = 1 + self.random.below(FILES as u64) as usize;
        let id = self.files[file - 1];
        let there: Vec<Page> = (page..page + pages)
            .map_while(|at| self.model.spaces[&s].get(&at).cloned())
            .collect();
        let alike = there.windows(2).all(|pair| follows(&pair[0], &pair[1]));
        let maps = self.maps(s, page * PAGE, pages as usize * SIZE, file);
        if there.len() != pages as usize || !alike || maps {
            return Ok(());
        }
        self.memory.object_truncate(&mut self.m, id, 0).unwrap();
        for page in self.model.spaces.values_mut().flat_map(|s| s.values_mut()) {
            if page.from.is_some_and(|(object, _)| object == file) {
                page.own = None;
            }
        }
        let (range, size) = (page..page + pages, pages * PAGE);
        let m = &mut self.m;
        let progress = self.memory.dump_pages(m, s, range, (id, 0), pages);
        self.memory.object_truncate(m, id, size).unwrap();
        let contents = |page: &Page| self.model.contents(page).unwrap_or([0; SIZE]);
        let data = there.iter().flat_map(contents).collect();
        let object = &mut self.model.objects[file];
        *object = Bytes::default();
        object.resize(size as usize);
        if progress.out_of_memory {
            // What is not in it may be zeros as well.
            self.memory.object_truncate(m, id, 0).unwrap();
            object.resize(0);
            object.data.clear();
            return Err(OutOfMemory);
        }
        object.data = data;
        Ok(())
    }

    fn forget(&mut self, s: SpaceIx, page: u64, pages: u64) -> Outcome {
        let (addr, len) = (page * PAGE, pages * PAGE);
        let result = self.memory.advise(&mut self.m, s, addr, len, MADV_DONTNEED);
        let mut all = Ok(());
        for at in page..page + pages {
            match self.pages(s).get_mut(&at) {
                Some(page) => page.own = None,
                None => all = Err(Errno::ENOMEM),
            }
        }
        assert_eq!(result, all);
        Ok(())
    }

    /// Everything a tracer and the task can see is as the model has it.
    fn compare(&mut self) {
        for (&s, pages) in &self.model.spaces {
            for page in BASE / PAGE - 1..BASE / PAGE + AREA + 6 {
                let mut buf = [0; SIZE];
                let read = self.memory.peek(&mut self.m, s, page * PAGE, &mut buf);
                let expected = pages.get(&page).and_then(|page| self.model.contents(page));
                assert_eq!((read == SIZE).then_some(buf), expected, "page {page:#x}");
                // What the machine maps is what is there, and no more than that is allowed.
                if let Some(seen) = self.m.load(s, page * PAGE + 5) {
                    assert_eq!(Some(seen), expected.map(|bytes| bytes[5]));
                    assert_ne!(pages[&page].prot, 0);
                }
                if let Some(expected) = expected
                    && self.m.store(s, page * PAGE + 5, expected[5])
                {
                    assert_ne!(pages[&page].prot & PROT_WRITE, 0);
                }
                if self.m.executes(s, page * PAGE) {
                    assert_ne!(pages[&page].prot & PROT_EXEC, 0);
                }
            }
            let mapped: u64 = self.memory.vmas(s).map(|vma| vma.end - vma.start).sum();
            assert_eq!(mapped, pages.len() as u64 * PAGE);
        }
        for (i, &id) in self.files.iter().enumerate() {
            let model = &self.model.objects[i + 1];
            let mut buf = vec![0; model.data.len()];
            self.memory
                .object_read(&mut self.m, id, 0, &mut buf)
                .unwrap();
            assert!(buf == model.data, "file {i}");
        }
    }

    fn pages(&mut self, s: SpaceIx) -> &mut BTreeMap<u64, Page> {
        self.model.spaces.get_mut(&s).unwrap()
    }

    /// Whether a part of a range maps a file.
    fn maps(&self, s: SpaceIx, addr: u64, len: usize, file: usize) -> bool {
        let end = (addr + len as u64).div_ceil(PAGE);
        self.model.spaces[&s]
            .range(addr / PAGE..end)
            .any(|(_, page)| page.from.is_some_and(|(object, _)| object == file))
    }
}

/// Whether two neighbours are surely of one VMA.
fn follows(this: &Page, next: &Page) -> bool {
    let from = match (this.from, next.from) {
        (Some((a, i)), Some((b, j))) => a == b && i + 1 == j,
        (None, None) => true,
        _ => false,
    };
    from && (this.prot, this.shared, this.may_write) == (next.prot, next.shared, next.may_write)
}

fn file_range(object: ObjectId, size: u64) -> Source {
    let range = FileRange {
        object,
        offset: 0,
        size,
    };
    Source::File {
        range,
        offset: 0,
        may_write: true,
    }
}
