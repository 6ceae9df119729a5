package org.lqfda.demo

import android.app.Activity
import android.graphics.BitmapFactory
import android.graphics.drawable.BitmapDrawable
import android.view.View
import android.view.WindowManager
import android.widget.Button
import android.widget.ImageButton
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.RadioButton
import android.widget.RadioGroup
import android.widget.TextView
import org.lqfda.runtime.Model
import java.util.Locale
import kotlin.math.roundToInt

/** The views of main.xml: `render` draws a state, and what the user touches becomes an action. */
class Screen(
    private val activity: Activity,
    private val actions: Actions,
) {
    interface Actions {
        fun classify(picture: Picture)

        fun pickPhoto()

        fun takePhoto()

        fun live()

        fun choose(model: Model)

        fun choose(threads: Int)

        fun benchmark()

        fun selfTest()

        fun cancel()

        fun share()
    }

    private val processors = Runtime.getRuntime().availableProcessors()
    private val models = mapOf(Model.BINARIZED to R.id.binarized, Model.INT8 to R.id.int8, Model.FLOAT to R.id.float32)
    private val guesses = GuessRows(find(R.id.guesses))
    private val benchmark: Button = find(R.id.benchmark)
    private val selfTest: Button = find(R.id.self_test)
    private var state = State()
    private var drawing = false

    init {
        find<View>(R.id.photos).setOnClickListener { actions.pickPhoto() }
        find<View>(R.id.camera).setOnClickListener { actions.takePhoto() }
        find<View>(R.id.live).setOnClickListener { actions.live() }
        find<View>(R.id.share).setOnClickListener { actions.share() }
        benchmark.setOnClickListener { if (state.work == Work.BENCHMARK) actions.cancel() else actions.benchmark() }
        selfTest.setOnClickListener { if (state.work == Work.SELF_TEST) actions.cancel() else actions.selfTest() }
        for ((model, id) in models) onChecked(id) { actions.choose(model) }
        onChecked(R.id.one_thread) { actions.choose(1) }
        onChecked(R.id.all_threads) { actions.choose(processors) }
        find<RadioButton>(R.id.one_thread).text = threadsWord(activity, 1)
        find<RadioButton>(R.id.all_threads).text = threadsWord(activity, processors)
        find<View>(R.id.threads).visibility = visible(processors > 1)
        addSamples()
    }

    fun render(state: State) {
        this.state = state
        drawing = true // What follows is no touch of the user's.
        renderBundle(state)
        renderProblem(state.problem)
        renderPicture(state)
        renderChoice(state)
        renderAnswer(state)
        renderBenchmark(state)
        renderSelfTest(state)
        drawing = false
    }

    private fun renderBundle(state: State) {
        val info = state.info
        val accuracy = info?.accuracy?.get("binarized")
        find<TextView>(R.id.bundle).text =
            when {
                info == null -> activity.getString(if (state.work == null) R.string.no_bundle else R.string.opening)
                accuracy == null -> info.name
                else -> activity.getString(R.string.bundle_accuracy, info.name, accuracy * 100)
            }
    }

    private fun renderProblem(problem: Problem?) {
        find<View>(R.id.problem).visibility = visible(problem != null)
        if (problem == null) return
        find<TextView>(R.id.problem_sentence).setText(problem.sentence)
        find<TextView>(R.id.problem_details).text = problem.details
        find<View>(R.id.problem_details).visibility = visible(problem.details.isNotEmpty())
    }

    private fun renderPicture(state: State) {
        val view = find<ImageView>(R.id.image)
        val image = state.image
        find<View>(R.id.hint).visibility = visible(image == null)
        // Small pictures are made of pixels that one wants to see.
        view.setImageDrawable(image?.let { BitmapDrawable(activity.resources, it).apply { isFilterBitmap = it.width >= SMALL } })
        view.contentDescription = activity.getString(if (image == null) R.string.hint else R.string.image)
        val samples = find<LinearLayout>(R.id.samples)
        for (index in 0 until samples.childCount) {
            val sample = samples.getChildAt(index)
            sample.isSelected = sample.tag == state.picture
            sample.isEnabled = !isLong(state.work)
        }
        for (id in listOf(R.id.photos, R.id.camera, R.id.live)) find<View>(id).isEnabled = !isLong(state.work)
    }

    private fun renderChoice(state: State) {
        find<RadioGroup>(R.id.models).check(models.getValue(state.model))
        find<RadioGroup>(R.id.threads).check(if (state.threads == 1) R.id.one_thread else R.id.all_threads)
        for ((model, id) in models) find<View>(id).isEnabled = !isLong(state.work) && model in state.info?.models.orEmpty()
        for (id in listOf(R.id.one_thread, R.id.all_threads)) find<View>(id).isEnabled = !isLong(state.work)
    }

    private fun renderAnswer(state: State) {
        val answer = state.answer
        find<View>(R.id.answer).visibility = visible(state.picture != null)
        guesses.show(answer?.guesses.orEmpty())
        find<TextView>(R.id.times).text = answer?.let { times(activity, it) } ?: activity.getString(R.string.working)
        find<View>(R.id.times).visibility = if (answer != null || state.work != null) View.VISIBLE else View.INVISIBLE
    }

    private fun renderBenchmark(state: State) {
        val running = state.work == Work.BENCHMARK
        benchmark.setText(if (running) R.string.stop else R.string.run_benchmark)
        benchmark.isEnabled = running || !isLong(state.work)
        find<ProgressBar>(R.id.progress).apply {
            visibility = visible(running)
            progress = (state.progress * max).roundToInt()
        }
        find<ChartView>(R.id.chart).apply {
            visibility = visible(state.timings.isNotEmpty())
            show(state.timings)
        }
        find<View>(R.id.share).visibility = visible(state.timings.isNotEmpty())
        if (running) {
            activity.window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        } else {
            activity.window.clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        }
    }

    private fun renderSelfTest(state: State) {
        val running = state.work == Work.SELF_TEST
        selfTest.setText(if (running) R.string.stop else R.string.run_self_test)
        selfTest.isEnabled = running || !isLong(state.work)
        val checks = state.checks
        val verdict = find<TextView>(R.id.verdict)
        verdict.visibility = visible(checks != null || running)
        find<View>(R.id.checks).visibility = visible(checks != null)
        if (checks == null) {
            verdict.setText(R.string.working)
            verdict.setTextColor(activity.getColor(R.color.text_faint))
            return
        }
        val passed = checks.all { it.passed }
        verdict.setText(if (passed) R.string.self_test_passed else R.string.self_test_failed)
        verdict.setTextColor(activity.getColor(if (passed) R.color.good else R.color.bad))
        find<TextView>(R.id.checks).text = checks.joinToString("\n", transform = ::describe)
    }

    private fun describe(check: Check): String =
        activity.getString(
            if (check.passed) R.string.check_passed else R.string.check_failed,
            check.model.word(activity),
            check.sameTop1,
            check.images,
            small(check.difference),
            small(check.tolerance),
        )

    private fun small(number: Double) = String.format(Locale.getDefault(), if (number < 0.01) "%.0e" else "%.2f", number)

    private fun addSamples() {
        val row = find<LinearLayout>(R.id.samples)
        val all = Picture.Sample.all(activity)
        for ((index, sample) in all.withIndex()) {
            val view = activity.layoutInflater.inflate(R.layout.sample, row, false) as ImageButton
            val bitmap = sample.open(activity).use(BitmapFactory::decodeStream)
            view.setImageDrawable(BitmapDrawable(activity.resources, bitmap).apply { isFilterBitmap = false })
            view.contentDescription = activity.getString(R.string.sample_description, index + 1, all.size)
            view.tag = sample
            view.setOnClickListener { actions.classify(sample) }
            row.addView(view)
        }
    }

    private fun onChecked(id: Int, action: () -> Unit) {
        find<RadioButton>(id).setOnCheckedChangeListener { _, checked -> if (checked && !drawing) action() }
    }

    private fun <V : View> find(id: Int): V = activity.findViewById(id)

    private companion object {
        const val SMALL = 256

        fun isLong(work: Work?) = work == Work.BENCHMARK || work == Work.SELF_TEST

        fun visible(holds: Boolean) = if (holds) View.VISIBLE else View.GONE
    }
}
