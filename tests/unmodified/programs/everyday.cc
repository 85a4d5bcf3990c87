// What C++ programs do: streams, containers, threads with everything to make them wait, exceptions through all of it.
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <csetjmp>
#include <csignal>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <latch>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <regex>
#include <semaphore>
#include <set>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <typeinfo>
#include <unordered_map>
#include <variant>
#include <vector>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

struct Failure : std::runtime_error {
	using std::runtime_error::runtime_error;
};

template <typename A, typename B>
void equal(const A &got, const B &want, int line = __builtin_LINE())
{
	if (got == want)
		return;
	std::ostringstream text;
	text << "line " << line << ": " << got << ", not " << want;
	throw Failure(text.str());
}

template <typename Error, typename Function>
void throws(Function function, int line = __builtin_LINE())
{
	try {
		function();
	} catch (const Error &) {
		return;
	}
	throw Failure("line " + std::to_string(line) + ": nothing was thrown");
}

std::string thread_local name_of_thread = "nobody";
std::atomic<int> alive;

struct Counted {
	Counted() { alive++; }
	Counted(const Counted &) { alive++; }
	~Counted() { alive--; }
};

void streams()
{
	std::ostringstream out;
	out << std::hex << std::showbase << 255 << ' ' << std::dec << std::setw(6) << std::setfill('*') << 42 << ' ' << std::fixed
	    << std::setprecision(3) << 3.14159 << ' ' << std::boolalpha << true;
	equal(out.str(), "0xff ****42 3.142 true");
	std::istringstream in("12 0.5 word\nthe rest");
	int number;
	double real;
	std::string word, rest;
	in >> number >> real >> word >> std::ws;
	std::getline(in, rest);
	equal(number + real, 12.5);
	equal(word + "|" + rest, "word|the rest");
	equal(in.eof(), true);
	std::istringstream bad("x");
	bad.exceptions(std::ios::failbit);
	throws<std::ios_base::failure>([&] { bad >> number; });
}

void containers()
{
	std::map<std::string, std::vector<int>> groups;
	for (int i = 0; i < 1000; i++)
		groups[std::to_string(i % 7)].push_back(i);
	equal(groups.size(), 7u);
	equal(std::accumulate(groups["3"].begin(), groups["3"].end(), 0), 71500);
	std::unordered_map<int, std::string> table;
	for (int i = 0; i < 20000; i++)
		table.emplace(i * 7919, std::to_string(i));
	equal(table.at(7919 * 1234), "1234");
	throws<std::out_of_range>([&] { table.at(1); });
	std::priority_queue<int, std::vector<int>, std::greater<>> heap;
	for (int i : {5, 1, 4})
		heap.push(i);
	equal(heap.top(), 1);
	std::deque<int> deque{1, 2, 3};
	deque.push_front(0);
	std::list<int> list(deque.rbegin(), deque.rend());
	list.sort();
	equal(std::equal(list.begin(), list.end(), deque.begin()), true);
	std::variant<int, std::string> either = "text";
	equal(std::visit([](const auto &it) { return sizeof it; }, either), sizeof(std::string));
	throws<std::bad_variant_access>([&] { (void)std::get<int>(either); });
	throws<std::bad_any_cast>([] { std::any_cast<int>(std::any(2.5)); });
	equal(std::optional<int>{}.value_or(9), 9);
	std::vector<int> sorted(10000);
	std::iota(sorted.begin(), sorted.end(), 0);
	std::shuffle(sorted.begin(), sorted.end(), std::mt19937(7));
	std::sort(sorted.begin(), sorted.end());
	equal(sorted[5000], 5000);
	equal(std::regex_replace("2024-01-02", std::regex("(\\d+)-(\\d+)-(\\d+)"), "$3.$2.$1"), "02.01.2024");
}

int deep(int n)
{
	Counted counted;
	if (n == 0)
		throw Failure("from below");
	return deep(n - 1) + 1;
}

void exceptions()
{
	throws<Failure>([] { deep(500); });
	equal(alive.load(), 0);
	try {
		try {
			throw std::invalid_argument("inner");
		} catch (...) {
			std::throw_with_nested(Failure("outer"));
		}
	} catch (const Failure &outer) {
		try {
			std::rethrow_if_nested(outer);
		} catch (const std::invalid_argument &inner) {
			equal(std::string(outer.what()) + " " + inner.what(), "outer inner");
		}
	}
	std::exception_ptr kept;
	std::thread([&] {
		try {
			deep(10);
		} catch (...) {
			kept = std::current_exception();
		}
	}).join();
	throws<Failure>([&] { std::rethrow_exception(kept); });
	throws<std::bad_alloc>([] { std::vector<char> large(1ul << 62); });
	throws<std::bad_cast>([] {
		struct A {
			virtual ~A() = default;
		} a;
		struct B : A {
		};
		(void)dynamic_cast<B &>(a);
	});
	equal(std::uncaught_exceptions(), 0);
	try {
		std::filesystem::create_directory("/proc/nothing");
	} catch (const std::filesystem::filesystem_error &error) {
		equal(error.code() == std::errc::no_such_file_or_directory, true);
	}
}

void many_threads()
{
	constexpr int THREADS = 32;
	std::mutex mutex;
	std::atomic<long> free_sum = 0;
	long guarded_sum = 0;
	std::set<std::string> names;
	std::vector<std::thread> threads;
	for (int i = 0; i < THREADS; i++)
		threads.emplace_back([&, i] {
			name_of_thread = "thread " + std::to_string(i);
			for (int j = 0; j < 200; j++) {
				free_sum += j;
				std::lock_guard lock(mutex);
				guarded_sum += j;
			}
			std::lock_guard lock(mutex);
			names.insert(name_of_thread);
		});
	for (auto &thread : threads)
		thread.join();
	equal(free_sum.load(), guarded_sum);
	equal(guarded_sum, 32l * 19900);
	equal(names.size(), 32u);
	equal(name_of_thread, "nobody");
}

template <typename T>
class Channel {
public:
	explicit Channel(size_t limit) : limit(limit) {}

	void send(T item)
	{
		std::unique_lock lock(mutex);
		room.wait(lock, [&] { return items.size() < limit; });
		items.push_back(std::move(item));
		ready.notify_one();
	}

	std::optional<T> receive()
	{
		std::unique_lock lock(mutex);
		ready.wait(lock, [&] { return !items.empty() || closed; });
		if (items.empty())
			return {};
		T item = std::move(items.front());
		items.pop_front();
		room.notify_one();
		return item;
	}

	void close()
	{
		std::lock_guard lock(mutex);
		closed = true;
		ready.notify_all();
	}

private:
	std::mutex mutex;
	std::condition_variable room, ready;
	std::deque<T> items;
	size_t limit;
	bool closed = false;
};

void condition_variables()
{
	Channel<std::unique_ptr<int>> channel(4);
	std::atomic<int> sum = 0, count = 0;
	std::vector<std::thread> receivers;
	for (int i = 0; i < 5; i++)
		receivers.emplace_back([&] {
			while (auto item = channel.receive()) {
				sum += **item;
				count++;
			}
		});
	{
		std::vector<std::jthread> senders;
		for (int i = 0; i < 3; i++)
			senders.emplace_back([&, i] {
				for (int j = 0; j < 100; j++)
					channel.send(std::make_unique<int>(i * 100 + j));
			});
	}
	channel.close();
	for (auto &receiver : receivers)
		receiver.join();
	equal(count.load(), 300);
	equal(sum.load(), 299 * 300 / 2);
	std::mutex mutex;
	std::condition_variable never;
	std::unique_lock lock(mutex);
	equal(never.wait_for(lock, 10ms) == std::cv_status::timeout, true);
}

void other_ways_to_wait()
{
	std::barrier rounds(4);
	std::latch done(4);
	std::counting_semaphore<2> places(2);
	std::atomic<int> inside = 0, most = 0, order = 0;
	std::atomic<bool> wrong = false;
	std::vector<std::jthread> threads;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&] {
			for (int round = 0; round < 20; round++) {
				order++;
				rounds.arrive_and_wait();
				if (order != (round + 1) * 4)
					wrong = true;
				rounds.arrive_and_wait();
			}
			places.acquire();
			int now = ++inside;
			int seen = most;
			while (now > seen && !most.compare_exchange_weak(seen, now))
				;
			std::this_thread::sleep_for(5ms);
			inside--;
			places.release();
			done.count_down();
		});
	done.wait();
	equal(wrong.load(), false);
	equal(most <= 2, true);
	std::shared_mutex shared;
	std::shared_lock first(shared), second(shared);
	equal(shared.try_lock(), false);
	std::timed_mutex timed;
	timed.lock();
	bool got = std::async(std::launch::async, [&] { return timed.try_lock_for(10ms); }).get();
	equal(got, false);
	timed.unlock();
	std::atomic<int> flag = 0;
	std::jthread waker([&] {
		std::this_thread::sleep_for(5ms);
		flag = 1;
		flag.notify_all();
	});
	flag.wait(0);
	equal(flag.load(), 1);
	std::stop_source stop;
	std::condition_variable_any any;
	std::mutex mutex;
	std::jthread stopped([&](std::stop_token) {
		std::unique_lock lock(mutex);
		any.wait(lock, stop.get_token(), [] { return false; });
	});
	stop.request_stop();
	std::once_flag once;
	int times = 0;
	for (int i = 0; i < 3; i++)
		std::call_once(once, [&] { times++; });
	equal(times, 1);
}

void futures()
{
	std::vector<std::future<long>> parts;
	for (long i = 0; i < 8; i++)
		parts.push_back(std::async(std::launch::async, [i] {
			long sum = 0;
			for (long j = i * 10000; j < (i + 1) * 10000; j++)
				sum += j;
			return sum;
		}));
	long sum = 0;
	for (auto &part : parts)
		sum += part.get();
	equal(sum, 80000l * 79999 / 2);
	auto failing = std::async(std::launch::async, []() -> int { throw Failure("over there"); });
	throws<Failure>([&] { failing.get(); });
	std::promise<int> promise;
	auto shared = promise.get_future().share();
	std::jthread one([shared] { shared.wait(); });
	promise.set_value(5);
	equal(shared.get(), 5);
	auto broken = std::promise<int>().get_future();
	throws<std::future_error>([&] { broken.get(); });
	std::packaged_task<int(int)> task([](int x) { return x * 2; });
	auto result = task.get_future();
	std::thread(std::move(task), 21).join();
	equal(result.get(), 42);
}

// A thread that is cancelled runs the destructors of what it is in.
void *waits_for_ever(void *)
{
	Counted counted;
	for (;;)
		pause();
}

void cancelled_threads()
{
	for (int i = 0; i < 10; i++) {
		pthread_t thread;
		pthread_create(&thread, nullptr, waits_for_ever, nullptr);
		while (alive == 0)
			std::this_thread::yield();
		pthread_cancel(thread);
		void *result;
		pthread_join(thread, &result);
		equal(result == PTHREAD_CANCELED, true);
		equal(alive.load(), 0);
	}
}

struct Fault {
	void *address;
};

void throw_fault(int, siginfo_t *info, void *)
{
	throw Fault{info->si_addr};
}

sigjmp_buf back;

void jump_back(int)
{
	siglongjmp(back, 1);
}

// Compiled with -fnon-call-exceptions, as C++ programs are that do this.
void exceptions_through_signals()
{
	struct sigaction action {
	};
	action.sa_sigaction = throw_fault;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaction(SIGSEGV, &action, nullptr);
	auto *page = static_cast<char *>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 3; i++) {
		try {
			Counted counted;
			*static_cast<volatile char *>(page + 8 + i) = 1;
			throw Failure("no fault");
		} catch (const Fault &fault) {
			equal(static_cast<char *>(fault.address) - page, 8 + i);
		}
		equal(alive.load(), 0);
	}
	munmap(page, 4096);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGFPE, jump_back);
	int jumped = 0;
	for (int i = 0; i < 3; i++) {
		if (sigsetjmp(back, 1) == 0)
			raise(SIGFPE);
		else
			jumped++;
	}
	equal(jumped, 3);
	signal(SIGFPE, SIG_DFL);
}

void files()
{
	namespace fs = std::filesystem;
	fs::path folder = "everyday-files";
	fs::create_directories(folder / "a" / "b");
	std::ofstream(folder / "a" / "file", std::ios::binary) << std::string(100000, 'x') << "end";
	equal(fs::file_size(folder / "a" / "file"), 100003u);
	std::fstream file(folder / "a" / "file", std::ios::in | std::ios::out | std::ios::binary);
	file.seekg(-3, std::ios::end);
	std::string end;
	file >> end;
	equal(end, "end");
	file.clear();
	file.seekp(0);
	file << "begin";
	file.close();
	fs::copy(folder / "a", folder / "c", fs::copy_options::recursive);
	fs::create_symlink("c", folder / "link");
	equal(fs::canonical(folder / "link" / "file").filename(), "file");
	equal(std::distance(fs::recursive_directory_iterator(folder), fs::recursive_directory_iterator()), 7);
	fs::permissions(folder / "c" / "file", fs::perms::owner_read);
	equal(fs::status(folder / "c" / "file").permissions() == fs::perms::owner_read, true);
	equal(fs::remove_all(folder), 8u);
}

void processes()
{
	int ends[2];
	if (pipe(ends))
		throw std::system_error(errno, std::generic_category());
	// Forks while other threads run: the child has one.
	std::atomic<bool> stop = false;
	std::jthread busy([&] {
		while (!stop)
			std::this_thread::yield();
	});
	for (int i = 0; i < 10; i++) {
		pid_t child = fork();
		if (child == 0) {
			try {
				deep(20);
			} catch (const Failure &failure) {
				std::string text = failure.what();
				_exit(write(ends[1], text.data(), text.size()) == ssize_t(text.size()) ? 3 + alive : 1);
			}
			_exit(2);
		}
		int status;
		waitpid(child, &status, 0);
		equal(WEXITSTATUS(status), 3);
		std::string text(100, ' ');
		text.resize(read(ends[0], text.data(), text.size()));
		equal(text, "from below");
	}
	stop = true;
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(2);
		[]() noexcept { throw Failure("nobody may catch it"); }();
	}
	int status;
	waitpid(child, &status, 0);
	equal(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, true);
}

void clocks()
{
	auto start = std::chrono::steady_clock::now();
	std::this_thread::sleep_for(15ms);
	std::this_thread::sleep_until(start + 30ms);
	equal(std::chrono::steady_clock::now() - start >= 30ms, true);
	equal(std::chrono::system_clock::now().time_since_epoch() > 24h, true);
}

struct AtTheEnd {
	~AtTheEnd() { std::cout << "static objects are destroyed" << std::endl; }
} at_the_end;

}

int main()
{
	const std::pair<const char *, void (*)()> checks[] = {
	    {"streams", streams},
	    {"containers", containers},
	    {"exceptions", exceptions},
	    {"many threads", many_threads},
	    {"condition variables", condition_variables},
	    {"other ways to wait", other_ways_to_wait},
	    {"futures", futures},
	    {"cancelled threads", cancelled_threads},
	    {"exceptions through signals", exceptions_through_signals},
	    {"files", files},
	    {"processes", processes},
	    {"clocks", clocks},
	};
	int failed = 0;
	for (auto &[name, check] : checks) {
		try {
			check();
			std::cout << name << ": ok" << std::endl;
		} catch (const std::exception &error) {
			failed++;
			std::cout << name << ": " << error.what() << std::endl;
		}
	}
	std::cout << std::size(checks) << " checks, " << failed << " failed" << std::endl;
	return failed;
}
