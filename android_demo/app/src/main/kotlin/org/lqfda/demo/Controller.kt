package org.lqfda.demo

import android.os.Handler
import android.os.Looper
import org.lqfda.runtime.Model
import org.lqfda.runtime.Photo
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
    private var last: Future<*>? = null
    private var closed = false

    // The background thread's own.
    private var engine: Engine? = null
    private var loaded: Pair<Picture, Photo>? = null

    var state = initial
        private set(value) {
            field = value
            render(value)
        }

    init {
        val picture = initial.picture
        if (picture == null) work(Work.OPENING) {} else classify(picture)
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
        work(Work.CLASSIFYING) { engine ->
            val photo = photo(picture)
            val image = preview(photo)
            update { copy(image = image) }
            val usable = if (model in engine.info.models) model else engine.info.models.first()
            val answer = engine.classify(photo, usable, threads)
            update { copy(model = usable, answer = answer) }
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

    /** @param done gets the records, or what went wrong; on the background thread. */
    fun benchmark(rounds: Int, command: String, done: (Result<List<Timing>>) -> Unit = {}) {
        state = state.copy(timings = emptyList())
        work(Work.BENCHMARK, { done(Result.failure(it)) }) { engine ->
            val timings =
                engine.benchmark(rounds, command) { done, total -> update { copy(progress = done.toFloat() / total) } }
            done(Result.success(timings))
            update { copy(timings = timings) }
        }
    }

    fun selfTest() {
        state = state.copy(checks = null)
        work(Work.SELF_TEST) { engine ->
            val checks = engine.selfTest()
            update { copy(checks = checks) }
        }
    }

    /** Stops a benchmark or self-test. */
    fun cancel() {
        val cancelled = last ?: return
        cancelled.cancel(true)
        // Had it not begun, it would not end either.
        worker.execute { main.post { if (cancelled === last) state = state.copy(work = null) } }
    }

    fun fail(problem: Problem) {
        state = state.copy(problem = problem)
    }

    fun close() {
        closed = true
        render = {}
        last?.cancel(true)
        worker.execute { engine?.close() }
        worker.shutdown()
    }

    private fun photo(picture: Picture): Photo {
        loaded?.let { (known, photo) -> if (known == picture) return photo }
        loaded = null // Two large ones may not fit in memory.
        return picture.load(app).also { loaded = picture to it }
    }

    private fun work(kind: Work, failed: (Throwable) -> Unit = {}, action: (Engine) -> Unit) {
        state = state.copy(work = kind, progress = 0f, problem = null)
        lateinit var own: Future<*>
        own =
            worker.submit {
                val problem = attempt(failed) { action(opened()) }
                main.post { if (own === last) state = state.copy(work = null, problem = problem ?: state.problem) }
            }
        last = own
    }

    private fun attempt(failed: (Throwable) -> Unit, action: () -> Unit): Problem? {
        try {
            action()
            return null
        } catch (error: InterruptedException) {
            failed(error)
            return null
        } catch (error: Exception) {
            failed(error)
            return Problem.of(error)
        } catch (error: OutOfMemoryError) {
            failed(error)
            return Problem.of(error)
        }
    }

    private fun opened(): Engine =
        engine ?: app.openEngine(bundle).also {
            engine = it
            update { copy(info = it.info, model = if (model in it.info.models) model else it.info.models.first()) }
        }

    /** Changes the state, from the background thread. */
    private fun update(change: State.() -> State) {
        main.post { if (!closed) state = state.change() }
    }
}
