package org.lqfda.demo

import android.os.Handler
import android.os.Looper
import org.lqfda.runtime.Model
import org.lqfda.runtime.Photo
import java.util.concurrent.CancellationException
import java.util.concurrent.Executors
import java.util.concurrent.Future

/**
 * Does the main screen's work on one background thread, and holds its state, over rotations too.
 *
 * All of it is called on the main thread.
 */
class Controller(
    private val app: DemoApplication,
    val bundle: String,
    initial: State = State(),
) {
    private val worker = Executors.newSingleThreadExecutor { Thread(it, "lq_fda") }
    private val main = Handler(Looper.getMainLooper())
    private var render: (State) -> Unit = {}
    private val tasks = mutableListOf<Task>() // Those that have not ended, in their order.
    private var last: Task? = null // Its results are shown: nothing was asked for after it.
    private var closed = false

    @Volatile private var replaced = false

    // The background thread's own.
    private var engine: Engine? = null
    private var loaded: Pair<Picture, Photo>? = null

    /**
     * Something that the background thread does.
     *
     * @property failed is told once, on that thread, why there will be no result.
     */
    private class Task(
        val failed: (Throwable) -> Unit,
    ) {
        lateinit var future: Future<*>
        private var began = false // The background thread's.

        fun begin() {
            began = true
        }

        /** On the background thread: a task that was cancelled in the queue would tell nobody by itself. */
        fun failUnlessBegun() {
            if (!began) failed(CancellationException("cancelled before it began"))
            began = true
        }
    }

    var state = initial
        private set(value) {
            field = value
            render(value)
        }

    init {
        val picture = initial.picture
        if (picture == null) work(Work.OPENING) { _, _ -> } else classify(picture)
    }

    /** From now on `render` draws every state; null stops that. */
    fun attach(render: ((State) -> Unit)?) {
        this.render = render ?: {}
        this.render(state)
    }

    fun classify(picture: Picture) {
        val model = state.model
        val threads = state.threads
        if (picture != state.picture) state = state.copy(picture = picture, image = null)
        state = state.copy(answer = null)
        work(Work.CLASSIFYING) { task, engine ->
            val photo = photo(picture)
            val image = preview(photo)
            update(task) { copy(image = image) }
            // The screen shows the replacement since the bundle was opened.
            val usable = if (model in engine.info.models) model else engine.info.models.first()
            val answer = engine.classify(photo, usable, threads)
            update(task) { copy(answer = answer) }
        }
    }

    fun choose(model: Model) {
        if (model == state.model) return
        state = state.copy(model = model)
        state.picture?.let(::classify)
    }

    fun choose(threads: Int) {
        if (threads == state.threads) return
        state = state.copy(threads = threads)
        state.picture?.let(::classify)
    }

    /** @param done gets the records, or what went wrong, in every case but [replace]; on the background thread. */
    fun benchmark(rounds: Int, command: String, done: (Result<List<Timing>>) -> Unit = {}) {
        state = state.copy(timings = emptyList())
        work(Work.BENCHMARK, { if (!replaced) done(Result.failure(it)) }) { task, engine ->
            val timings =
                engine.benchmark(rounds, command) { done, total -> update(task) { copy(progress = done.toFloat() / total) } }
            if (!replaced) done(Result.success(timings))
            update(task) { copy(timings = timings) }
        }
    }

    fun selfTest() {
        state = state.copy(checks = null)
        work(Work.SELF_TEST) { task, engine ->
            val checks = engine.selfTest()
            update(task) { copy(checks = checks) }
        }
    }

    /** Stops a benchmark or self-test. */
    fun cancel() {
        val cancelled = last ?: return
        cancelled.future.cancel(true)
        // Had it not begun, it would not end either.
        worker.execute {
            cancelled.failUnlessBegun()
            main.post { end(cancelled, null) }
        }
    }

    fun fail(problem: Problem) {
        state = state.copy(problem = problem)
    }

    fun close() {
        closed = true
        render = {}
        val left = tasks.toList()
        for (task in left) task.future.cancel(true)
        worker.execute {
            left.forEach(Task::failUnlessBegun)
            engine?.close()
        }
        worker.shutdown()
    }

    /** Closes it in favour of another one, whose results nobody must take for this one's. */
    fun replace() {
        replaced = true
        close()
    }

    private fun photo(picture: Picture): Photo {
        loaded?.let { (known, photo) -> if (known == picture) return photo }
        loaded = null // Two large ones may not fit in memory.
        return picture.load(app).also { loaded = picture to it }
    }

    private fun work(kind: Work, failed: (Throwable) -> Unit = {}, action: (Task, Engine) -> Unit) {
        state = state.copy(work = kind, progress = 0f, problem = null)
        val task = Task(failed)
        tasks += task
        last = task
        task.future =
            worker.submit {
                task.begin()
                val problem = attempt(failed) { action(task, opened()) }
                main.post { end(task, problem) }
            }
    }

    private fun end(task: Task, problem: Problem?) {
        tasks -= task
        if (task === last && state.work != null) state = state.copy(work = null, problem = problem ?: state.problem)
    }

    private fun attempt(failed: (Throwable) -> Unit, action: () -> Unit): Problem? {
        try {
            action()
            return null
        } catch (error: InterruptedException) {
            failed(error)
            return null
        } catch (error: Throwable) { // Errors, too: the screen would wait for ever.
            failed(error)
            return Problem.of(error)
        }
    }

    private fun opened(): Engine =
        engine ?: app.openEngine(bundle).also {
            engine = it
            main.post { if (!closed) show(it.info) }
        }

    private fun show(info: BundleInfo) {
        state = state.copy(info = info)
        if (state.model !in info.models) state = state.copy(model = info.models.first())
    }

    /** Changes the state, from the background thread, unless something else was asked for in the meantime. */
    private fun update(task: Task, change: State.() -> State) {
        main.post { if (!closed && task === last) state = state.change() }
    }
}
