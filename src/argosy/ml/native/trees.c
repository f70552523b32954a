/* Answers rows by gradient-boosted trees, in the bits in which XGBoost answers them.
 *
 * The caller (argosy.ml.native_trees) has laid out the trees and vouches for them: every place is in range. Nothing is allocated here but on
 * the stack, no state is kept, and any number of threads may ask one model at once.
 *
 * A split asks one thing only, `value < threshold`, which is false of a missing value (NaN). Where a missing value belongs to the other side,
 * the split is asked of the negated value by the next larger threshold, and its sides are exchanged. So each feature has two columns, the
 * value and the negated one, and missing values cost nothing. A split by category has a column of its own, with 0 or 1 in it.
 *
 * Few rows walk down each tree. Many are taken a block at a time, and what they do with a tree depends on its size. In a small one every split
 * is asked of all rows at once, and from the leaves up each chooses between what its two sides came to: thirty splits, without one branch or
 * one address that depends on a row, beat five steps that each row takes to a place of its own. In a large one the rows walk side by side.
 *
 * Sums are made in float, tree after tree, from the intercept on, as XGBoost makes them: the order is part of the answer.
 */
#include <math.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define LANES 8
#define BLOCK 32 /* rows */
#define PARTS (BLOCK / LANES)
#define FEW 4    /* rows that are quicker one by one than as a block */
#define NARROW 32 /* levels that have room in a word */

/* The newest instructions that are asked for: 512 (AVX-512), 2 (AVX2) or 0. Tests on a processor that has all say less. */
#if !defined(NEWEST)
#define NEWEST 512
#endif

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));

/* A step of a walk. A leaf has its worth as the threshold, a column of which nothing is below it, and itself on both sides. */
typedef struct {
    uint32_t column;
    float threshold;
    uint32_t sides[2]; /* where to go if the value is not below the threshold, and where if it is */
} Step;

/* A split between two leaves, and what those are worth. */
typedef struct {
    uint32_t column;
    float threshold, above, below;
} Last;

/* A split of which at least one side is a split. Its sides are slots, in which what comes before it has left what it chose. */
typedef struct {
    uint32_t column;
    float threshold;
    uint32_t above, below;
} Inner;

/* A split by category: which levels of the feature have 1 in its column, by their places, as a table and, where they are few, in a word. */
typedef struct {
    uint32_t column, feature, table, word;
} Category;

/* Each `first_…` is a place in the model's list. Leaves beside a split, lasts and inners fill the slots in this order; the root is the last. */
typedef struct {
    uint32_t group, depth, splits;
    uint32_t first_step, first_category, categories, first_leaf, leaves, first_last, lasts, first_inner, inners;
} Tree;

typedef struct {
    uint32_t features, groups, trees, categories;
    uint32_t columns; /* two a feature, one that is always missing, and those for categories */
    uint32_t slots;   /* of the tree that needs the most */
    uint32_t large;   /* splits from which on a tree is large */
    const float *intercepts;
    const uint32_t *levels; /* of each feature, those that a split names; two more places are for any other, and for a missing value */
    const Tree *tree;
    const Step *steps;
    const Category *category;
    const uint8_t *tables;
    const float *leaves;
    const Last *lasts;
    const Inner *inners;
} Model;

enum { AS_IT_IS, LOGISTIC, SOFTMAX }; /* what is made of the sums */

static inline uint32_t level_of(float value, uint32_t levels)
{
    if (value != value)
        return levels + 1;
    return value >= 0 && value < (float)levels ? (uint32_t)value : levels;
}

/* One row: the sums of its groups. `columns` and `places` are scratch. */
static void walk(const Model *model, const float *row, float *sums, float *columns, uint32_t *places)
{
    uint32_t numbers = 2 * model->features;
    for (uint32_t feature = 0; feature < model->features; feature++) {
        columns[2 * feature] = row[feature];
        columns[2 * feature + 1] = -row[feature];
        places[feature] = level_of(row[feature], model->levels[feature]);
    }
    columns[numbers] = NAN;
    /* Those of all trees: how many each has would be guessed wrong at the end of each. */
    float *found = columns + numbers + 1;
    for (uint32_t place = 0; place < model->categories; place++) {
        const Category *split = model->category + place;
        found[place] = model->tables[split->table + places[split->feature]];
    }
    for (uint32_t group = 0; group < model->groups; group++)
        sums[group] = model->intercepts[group];
    for (const Tree *tree = model->tree; tree < model->tree + model->trees; tree++) {
        const Step *steps = model->steps + tree->first_step, *at = steps;
        for (uint32_t left = tree->depth; left > 0; left--) {
            uint32_t column = at->column + (at->column > numbers ? tree->first_category : 0);
            at = steps + at->sides[columns[column] < at->threshold];
        }
        sums[tree->group] += at->threshold;
    }
}

/* A value a row of a block. */
typedef union {
    Floats part[PARTS];
    Ints bits[PARTS];
    float row[BLOCK];
    uint32_t word[BLOCK];
} Column;

#define INLINE static inline __attribute__((always_inline))

/* Not a call that takes or gives vectors: how those are passed depends on the processor. */
#define ALL(value) ((value) - (Floats){})
#define CHOSEN(is_below, above, below) (((Ints)(below) & (is_below)) | ((Ints)(above) & ~(is_below)))

INLINE void spread(Column *into, float value)
{
    for (int part = 0; part < PARTS; part++)
        into->part[part] = ALL(value);
}

/* A small tree: the slot that has what each row is worth there. */
INLINE const Column *ask_all(const Model *model, const Tree *tree, const Column *columns, Column *slots)
{
    Column *slot = slots;
    const float *leaf = model->leaves + tree->first_leaf;
    for (uint32_t left = tree->leaves; left > 0; left--)
        spread(slot++, *leaf++);
    const Last *last = model->lasts + tree->first_last;
    for (uint32_t left = tree->lasts; left > 0; left--, last++, slot++)
        for (int part = 0; part < PARTS; part++) {
            Ints is_below = columns[last->column].part[part] < last->threshold;
            slot->bits[part] = CHOSEN(is_below, ALL(last->above), ALL(last->below));
        }
    const Inner *inner = model->inners + tree->first_inner;
    for (uint32_t left = tree->inners; left > 0; left--, inner++, slot++)
        for (int part = 0; part < PARTS; part++) {
            Ints is_below = columns[inner->column].part[part] < inner->threshold;
            slot->bits[part] = CHOSEN(is_below, slots[inner->above].bits[part], slots[inner->below].bits[part]);
        }
    return slot - 1;
}

/* A large tree: a step for each row in turn, so that none waits for memory alone. */
INLINE void walk_together(const Model *model, const Tree *tree, const Column *columns, Column *worth)
{
    const Step *steps = model->steps + tree->first_step;
    uint32_t at[BLOCK] = {0};
    for (uint32_t left = tree->depth; left > 0; left--)
        for (int row = 0; row < BLOCK; row++) {
            const Step *step = steps + at[row];
            at[row] = step->sides[columns[step->column].row[row] < step->threshold];
        }
    for (int row = 0; row < BLOCK; row++)
        worth->row[row] = steps[at[row]].threshold;
}

/* The columns of a tree's splits by category. `places` has the rows' levels; where those of a feature are few, the bits of them. */
INLINE void ask_categories(const Model *model, const Tree *tree, Column *columns, const Column *places)
{
    const Category *split = model->category + tree->first_category;
    for (uint32_t left = tree->categories; left > 0; left--, split++) {
        Column *column = columns + split->column;
        const Column *place = places + split->feature;
        if (model->levels[split->feature] + 2 <= NARROW)
            for (int part = 0; part < PARTS; part++)
                column->bits[part] = (Ints)ALL(1.0f) & ((place->bits[part] & (int32_t)split->word) != 0);
        else
            for (int row = 0; row < BLOCK; row++)
                column->row[row] = model->tables[split->table + place->word[row]];
    }
}

/* What a block works with: all of it scratch. */
typedef struct {
    Column *columns, *places, *slots, *totals;
} Scratch;

INLINE void sum_block(const Model *model, const float *rows, uint32_t count, float *sums, Scratch scratch)
{
    for (uint32_t feature = 0; feature < model->features; feature++) {
        Column *value = scratch.columns + 2 * feature, *negated = value + 1, *place = scratch.places + feature;
        /* Rows that are wanting are the first one again. */
        for (uint32_t row = 0; row < BLOCK; row++)
            value->row[row] = rows[(row < count ? row : 0) * model->features + feature];
        for (int part = 0; part < PARTS; part++)
            negated->part[part] = -value->part[part];
        uint32_t levels = model->levels[feature];
        for (uint32_t row = 0; levels > 0 && row < BLOCK; row++) {
            uint32_t level = level_of(value->row[row], levels);
            place->word[row] = levels + 2 <= NARROW ? 1u << level : level;
        }
    }
    spread(scratch.columns + 2 * model->features, NAN);
    for (uint32_t group = 0; group < model->groups; group++)
        spread(scratch.totals + group, model->intercepts[group]);
    for (const Tree *tree = model->tree; tree < model->tree + model->trees; tree++) {
        const Column *worth = scratch.slots;
        ask_categories(model, tree, scratch.columns, scratch.places);
        if (tree->splits < model->large)
            worth = ask_all(model, tree, scratch.columns, scratch.slots);
        else
            walk_together(model, tree, scratch.columns, scratch.slots);
        for (int part = 0; part < PARTS; part++)
            scratch.totals[tree->group].part[part] += worth->part[part];
    }
    for (uint32_t row = 0; row < count; row++)
        for (uint32_t group = 0; group < model->groups; group++)
            sums[row * model->groups + group] = scratch.totals[group].row[row];
}

/* The same for each kind of processor. */
typedef void Block(const Model *, const float *, uint32_t, float *, Scratch);

static void block_anywhere(const Model *model, const float *rows, uint32_t count, float *sums, Scratch scratch)
{
    sum_block(model, rows, count, sums, scratch);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void block_avx2(
    const Model *model, const float *rows, uint32_t count, float *sums, Scratch scratch)
{
    sum_block(model, rows, count, sums, scratch);
}

__attribute__((target("avx2,avx512f,avx512vl"))) static void block_avx512(
    const Model *model, const float *rows, uint32_t count, float *sums, Scratch scratch)
{
    sum_block(model, rows, count, sums, scratch);
}
#endif

static Block *best_block(void)
{
#if defined(__x86_64__)
    if (NEWEST >= 512 && __builtin_cpu_supports("avx512vl"))
        return block_avx512;
    if (NEWEST >= 2 && __builtin_cpu_supports("avx2"))
        return block_avx2;
#endif
    return block_anywhere;
}

/* A row's sums become its answer, by the calls and in the order that XGBoost makes them. */
static void transform(int how, float *row, uint32_t groups)
{
    if (how == LOGISTIC)
        for (uint32_t group = 0; group < groups; group++)
            /* Not fminf, which would make a number of a sum that is none. */
            row[group] = 1.0f / (expf(-row[group] > 88.7f ? 88.7f : -row[group]) + 1.0f + 1e-16f);
    if (how == SOFTMAX) {
        float largest = row[0];
        double total = 0;
        for (uint32_t group = 1; group < groups; group++)
            largest = fmaxf(largest, row[group]);
        for (uint32_t group = 0; group < groups; group++)
            total += row[group] = expf(row[group] - largest);
        for (uint32_t group = 0; group < groups; group++)
            row[group] /= (float)total;
    }
}

/* The sum that `chance` comes from. Of labels that are all alike the chance is 0 or 1, which no sum gives: XGBoost takes the next it allows. */
float argosy_trees_margin(float chance)
{
    chance = fminf(fmaxf(chance, 1e-6f), 1.0f - 1e-6f);
    return -logf(1.0f / chance - 1.0f);
}

/* The answers for `count` rows, which lie one behind the other: `groups` a row. */
void argosy_trees_answer(const Model *model, int how, const float *rows, uint64_t count, float *answers)
{
#if defined(__x86_64__)
    /* A threshold next to zero has to stay what it is, whatever another library has set for this thread. */
    uint32_t before = _mm_getcsr();
    _mm_setcsr(before & ~0x8040u);
#endif
    Column columns[model->columns], places[model->features], slots[model->slots], totals[model->groups];
    Scratch scratch = {columns, places, slots, totals};
    Block *block = best_block();
    for (uint64_t row = 0; row < count;) {
        const float *at = rows + row * model->features;
        float *into = answers + row * model->groups;
        uint64_t left = count - row;
        if (left <= FEW) {
            walk(model, at, into, scratch.columns->row, scratch.places->word);
            row++;
        } else {
            uint32_t taken = left < BLOCK ? (uint32_t)left : BLOCK;
            block(model, at, taken, into, scratch);
            row += taken;
        }
    }
    for (uint64_t row = 0; row < count; row++)
        transform(how, answers + row * model->groups, model->groups);
#if defined(__x86_64__)
    _mm_setcsr(before);
#endif
}
