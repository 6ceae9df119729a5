package org.lqfda.demo

import android.view.View
import android.view.ViewGroup
import android.widget.ProgressBar
import android.widget.TextView
import kotlin.math.roundToInt

/** The rows of guess_rows.xml: a label, a bar and a percentage each. */
class GuessRows(
    private val rows: ViewGroup,
) {
    /** Rows without a guess keep their place. */
    fun show(guesses: List<Guess>) {
        for (index in 0 until rows.childCount) {
            val row = rows.getChildAt(index)
            val guess = guesses.getOrNull(index)
            row.visibility = if (guess == null) View.INVISIBLE else View.VISIBLE
            if (guess != null) show(row, guess)
        }
    }

    private fun show(row: View, guess: Guess) {
        val percent = row.context.getString(R.string.percent, guess.probability * 100)
        row.findViewById<TextView>(R.id.label).text = guess.label
        row.findViewById<TextView>(R.id.percent).text = percent
        row.findViewById<ProgressBar>(R.id.bar).progress = (guess.probability * 1000).roundToInt()
        row.contentDescription = row.context.getString(R.string.guess_description, guess.label, percent)
    }
}
