package org.lqfda.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View

/** Times as bars: the bar ends at the median, the line at the 90th percentile. One group for each number of threads. */
class ChartView(
    context: Context,
    attributes: AttributeSet?,
) : View(context, attributes) {
    private val unit = resources.displayMetrics.density
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply { textSize = resources.getDimension(R.dimen.chart_text) }
    private val bar = Paint(Paint.ANTI_ALIAS_FLAG)
    private val row = text.textSize * 2f
    private var groups = emptyMap<Int, List<Timing>>()

    fun show(timings: List<Timing>) {
        groups = timings.groupBy { it.threads }
        contentDescription = timings.joinToString("\n", transform = ::describe)
        requestLayout()
        invalidate()
    }

    private fun describe(timing: Timing): String =
        context.getString(
            R.string.timing_description,
            timing.model.word(context),
            threadsWord(context, timing.threads),
            timing.medianMillis,
            timing.p90Millis,
        )

    override fun onMeasure(width: Int, height: Int) {
        val rows = groups.size + groups.values.sumOf { it.size }
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, width), resolveSize((rows * row).toInt(), height))
    }

    override fun onDraw(canvas: Canvas) {
        val timings = groups.values.flatten()
        val longest = timings.maxOfOrNull { it.p90Millis } ?: return
        val left = timings.maxOf { text.measureText(it.model.word(context)) } + 10 * unit
        val right = width - timings.maxOf { text.measureText(millis(it)) } - 10 * unit
        var top = 0f
        for ((threads, group) in groups) {
            text.color = context.getColor(R.color.text_faint)
            canvas.drawText(threadsWord(context, threads), 0f, baseline(top), text)
            top += row
            for (timing in group) {
                draw(canvas, timing, top, left, (right - left) / longest.toFloat())
                top += row
            }
        }
    }

    private fun draw(canvas: Canvas, timing: Timing, top: Float, left: Float, scale: Float) {
        text.color = context.getColor(R.color.text)
        canvas.drawText(timing.model.word(context), 0f, baseline(top), text)
        val middle = top + row / 2
        val median = left + maxOf(timing.medianMillis.toFloat() * scale, 2 * unit)
        val p90 = maxOf(left + timing.p90Millis.toFloat() * scale, median)
        bar.color = timing.model.colour(context)
        canvas.drawRoundRect(left, middle - row * 0.28f, median, middle + row * 0.28f, 3 * unit, 3 * unit, bar)
        bar.alpha = 150
        canvas.drawRect(median, middle - unit, p90, middle + unit, bar)
        canvas.drawRect(p90 - unit, middle - row * 0.16f, p90 + unit, middle + row * 0.16f, bar)
        canvas.drawText(millis(timing), p90 + 8 * unit, baseline(top), text)
    }

    private fun baseline(top: Float) = top + (row - text.ascent() - text.descent()) / 2

    private fun millis(timing: Timing) = context.getString(R.string.millis, timing.medianMillis)
}
