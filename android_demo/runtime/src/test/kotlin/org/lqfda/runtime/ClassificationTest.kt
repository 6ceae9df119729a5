package org.lqfda.runtime

import org.junit.Assert.assertEquals
import org.junit.Test
import java.util.Random
import kotlin.math.exp

class ClassificationTest {
    @Test
    fun ordersByProbabilityAndEqualOnesByClass() {
        val random = Random(1)
        val result = Classification(List(20) { "class $it" })
        repeat(200) {
            val logits = FloatArray(20) { random.nextInt(6).toFloat() * 3 - 9 }
            logits.copyInto(result.probabilities)
            result.fromLogits()
            val sum = logits.sumOf { exp(it.toDouble()) }
            val expected = logits.indices.sortedByDescending { logits[it] } // A stable sort.
            assertEquals(expected.map { "class $it" }, List(20, result::label))
            expected.forEachIndexed { rank, index ->
                assertEquals(exp(logits[index].toDouble()) / sum, result.probability(rank).toDouble(), 1e-6)
            }
        }
    }

    @Test
    fun largeLogitsDoNotOverflow() {
        val result = Classification(listOf("a", "b", "c"))
        floatArrayOf(-3e38f, 3e38f, 0f).copyInto(result.probabilities)
        result.fromLogits()
        assertEquals(listOf("b", "a", "c"), List(3, result::label))
        assertEquals(1f, result.probability(0))
    }
}
