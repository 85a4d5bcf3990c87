# Non-stop: threads stop one by one, and others run on; they are stopped and resumed alone and together.
# program: threads
# first: set non-stop on
# waits for events
python
import os
# What to do at each stop that gdb hears of.
def steps():
    ex = lambda command: gdb.execute(command, to_string=True)
    value = lambda text: int(gdb.parse_and_eval(text))
    states = lambda: {t.num: t.is_running() for t in gdb.selected_inferior().threads()}
    yield                       # the breakpoint
    print("stopped at", gdb.newest_frame().name(), states())
    ex("thread 2"); ex("interrupt")
    yield                       # thread 2
    print("interrupted", states())
    ex("thread 2")
    print("its number", value("$_thread"), gdb.selected_thread().is_stopped())
    for i in range(3):
        ex("stepi&")
        yield                   # one instruction
    print("stepped", states())
    for thread in (3, 4):
        ex("thread %d" % thread); ex("interrupt")
        yield                   # that thread
    print("all stopped", states())
    ex("thread 4"); ex("continue&"); ex("thread 1")
    print("one runs", states())
    ex("interrupt -a")
    yield                       # thread 4
    ex("set var go_on = 1")
    ex("continue -a&")
    yield                       # the end
done = steps()
next(done)
def advance():
    try:
        next(done)
    except Exception as error:
        print(repr(error))
def on_exit(event):
    print("exited", event.exit_code)
    gdb.post_event(lambda: gdb.execute("quit"))
gdb.events.stop.connect(lambda event: gdb.post_event(advance))
gdb.events.exited.connect(on_exit)
end
break everybody_is_here
run&
