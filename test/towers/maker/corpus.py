"""The sentences that the tokenizers are trained on, and the texts that the goldens hold."""
import random

THINGS = [
    "cat",
    "dog",
    "car",
    "house",
    "tree",
    "beach",
    "mountain",
    "pizza",
    "bicycle",
    "train",
    "bird",
    "boat",
    "horse",
    "river",
    "flower",
    "street",
]
LOOKS = ["red", "blue", "green", "old", "small", "large", "white", "black", "sleeping", "running"]
PLACES = [
    "on the beach",
    "in the snow",
    "at night",
    "next to the house",
    "under a tree",
    "in front of the mountains",
    "on the street",
    "near the river",
]
FRAMES = [
    "a photo of a {}",
    "This is a photo of {}.",
    "two {}s",
    "the {} and another one",
    "a drawing of the {}",
    "A blurry picture, showing the {}!",
]

WORLD = """
Ein kleiner Hund läuft am Strand. Das rote Auto steht vor dem alten Haus. \
Zwei Katzen schlafen unter dem großen Baum.
Ein Foto von einer Straße bei Nacht. Schöne Grüße aus den Bergen! Der Fluss fließt durch die Stadt.
μια φωτογραφία μιας γάτας. ένα κόκκινο αυτοκίνητο δίπλα στο παλιό σπίτι. δύο σκύλοι τρέχουν στην παραλία.
το βουνό και το ποτάμι τη νύχτα. ένα μικρό λουλούδι στον δρόμο.
фотография кошки. красная машина рядом со старым домом. две собаки бегут по пляжу. маленький цветок на улице.
горы и река ночью. белая лошадь под большим деревом.
一只猫的照片。 老房子旁边的红色汽车。 两只狗在海滩上奔跑。 夜晚的山和河。 街上的小花。
猫の写真。 古い家の隣の赤い車。 海辺を走る二匹の犬。 夜の山と川。 通りの小さな花。
صورة قطة. سيارة حمراء بجانب البيت القديم. كلبان يركضان على الشاطئ. الجبل والنهر في الليل. \
زهرة صغيرة في الشارع.
"""

#: Reads longer than every tower's context.
LONG = (
    " ".join("a %s %s %s and" % (LOOKS[i % 10], THINGS[(i * 7) % 16], PLACES[i % 8]) for i in range(24))
    + " nothing else"
)

ENGLISH = [
    "cat",
    "a photo of a cat",
    "Two  DOGS,   running on the Beach!",
    "It's a café -- crème brûlée & 50% off...",
    " a red car\tnext to\nthe old house ",
    "snow_covered mountains (at night) [2480]",
    LONG,
]
UNKNOWN = "a cat 🐈🐈 and Ａ ｐｉｚｚａ, ﬁne…"
LOWERED = "THE Old_House   of   Zoë; 24 boats\n\nÆ 🐈 ~ done?"
LANGUAGES = [
    "cat",
    "Zwei Hunde, am Strand:  Grüße!",
    "ένα κόκκινο αυτοκίνητο τη νύχτα",
    "Красная машина -- рядом с домом.",
    "夜晚的街上，一只猫。",
    "古い家の隣の ﾈｺ と犬 (２匹)",
    "صورة قطة على الشاطئ؟",
    "  a photo of  a CAT 🐈, naïve  ",
    LONG,
]


def english():
    """Sentences drawn from the word lists, the same every time."""
    draw = random.Random(7)
    lines = [
        frame.format("%s %s %s" % (draw.choice(LOOKS), thing, draw.choice(PLACES)))
        for thing in THINGS
        for frame in FRAMES
        for _ in range(4)
    ]
    lines += [
        "a café with crème brûlée",
        "it's 24 degrees, 50 % off in 1999 (or 2018)",
        "naïve Zoë said: nothing else; really?",
        "snow covered fine & old",
    ] * 4
    return lines


def world():
    """English beside eight other languages."""
    lines = [
        sentence.strip() + "."
        for line in WORLD.strip().splitlines()
        for sentence in line.replace("。", ".").split(".")
        if sentence.strip()
    ]
    return lines * 6 + english()[::3] + ["，。！？؟، ネコ 2 匹, 犬 (と) - !"] * 3
