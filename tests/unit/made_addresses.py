"""Made-up addresses in the form of the Base Adresse Nationale: street names as towns have them.

No house of it exists, no coordinate is a real one's.
"""

import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    "id;id_fantoir;numero;rep;nom_voie;code_postal;code_insee;nom_commune;code_insee_ancienne_commune;"
    "nom_ancienne_commune;x;y;lon;lat;type_position;alias;nom_ld;libelle_acheminement;nom_afnor;"
    "source_position;source_nom_voie;certification_commune;cad_parcelles"
)

#: Streets that the typed addresses are about, by INSEE code, postcode, commune, latitude and longitude.
TOWNS: dict[tuple[str, str, str, float, float], tuple[str, ...]] = {
    ("69259", "69200", "Vénissieux", 45.698, 4.887): (
        "Avenue Jean Jaurès",
        "Rue Gambetta",
        "Boulevard Laurent Gérin",
        "Rue du 8 Mai 1945",
        "Place Léon Sublet",
        "Avenue du 11 Novembre 1918",
        "Route de Vienne",
        "Chemin du Charréard",
        "Impasse des Lilas",
        "Rue Saint-Exupéry",
        "Avenue d’Oschatz",
        "Boulevard Ambroise Croizat",
        "Rue Gabriel Péri",
        "Rue du Docteur Roux",
        "Allée du Parc",
        "Rue du Général de Gaulle",
        "Rue Antoine Billon",
        "Rue Victor Hugo",
        "Place de la Paix",
        "Avenue Marcel Houël",
        "Rue de la République",
        "Square des Droits de l’Homme",
        "Chemin de Feyzin",
        "Rue Émile Zola",
        "Rue Louis Pasteur",
        "Rue de l’Industrie",
        "Avenue Pierre Semard",
        "Montée de la Pyramide",
        "Rue des Martyrs de la Résistance",
        "Avenue de la Division Leclerc",
        "Rue Joliot-Curie",
        "Place Ennemond Romand",
        "Rue de l’Église",
        "Rue du Professeur Calmette",
        "Boulevard Irène Joliot-Curie",
        "Impasse Jean Jaurès",
        "Rue Pierre Brossolette",
        "Rue de Lyon",
        "Rue Paul Langevin",
        "Passage du Moulin",
        "Rue Eugène Maréchal",
        "Rue Max Barel",
        "Avenue des Cornouillers",
        "Boulevard des Grands-Ormes",
        "Rue de la Pierre-Bleue",
        "Rue des Quatre-Tilleuls",
        "Route du Vieux-Moulin",
        "Rue des Aubépines",
        "Avenue du Grès-Rose",
        "Rue de l’Ardoise",
    ),
    ("69388", "69008", "Lyon", 45.735, 4.870): (
        "Avenue Berthelot",
        "Rue Marius Berliet",
        "Boulevard des États-Unis",
        "Avenue Jean Mermoz",
        "Place Ambroise Courtois",
        "Rue du Professeur Beauvisage",
        "Avenue des Frères Lumière",
        "Rue Saint-Gervais",
        "Rue de la République",
        "Boulevard Pinel",
        "Rue Villon",
        "Rue Bataille",
        "Cours Albert Thomas",
        "Rue Antoine Lumière",
        "Route de Vienne",
        "Rue Jean XXIII",
        "Rue du Maréchal Foch",
    ),
    ("69387", "69007", "Lyon", 45.745, 4.842): (
        "Avenue Jean Jaurès",
        "Rue de Marseille",
        "Grande Rue de la Guillotière",
        "Boulevard Yves Farge",
        "Rue de Gerland",
        "Rue Pasteur",
        "Place Jean Macé",
        "Cours Gambetta",
        "Quai Claude Bernard",
        "Rue Chevreul",
        "Rue Saint-Jean de Dieu",
        "Rue de la Madeleine",
        "Avenue Berthelot",
    ),
    ("69029", "69500", "Bron", 45.733, 4.911): (
        "Avenue Franklin Roosevelt",
        "Avenue Camille Rousset",
        "Rue de la Marne",
        "Rue Gambetta",
        "Avenue Jean Jaurès",
        "Place Curial",
        "Rue du 8 Mai 1945",
        "Boulevard Pinel",
        "Rue Marcel Bramet",
        "Rue des Lilas",
    ),
    ("69290", "69800", "Saint-Priest", 45.697, 4.942): (
        "Rue Henri Maréchal",
        "Boulevard François Reymond",
        "Route d’Heyrieux",
        "Rue Aristide Briand",
        "Place Charles Ottina",
        "Grande Rue",
        "Avenue Jean Jaurès",
        "Rue du Grisard",
        "Rue Victor Hugo",
    ),
    ("69273", "69960", "Corbas", 45.667, 4.902): (
        "Route de Marennes",
        "Avenue de Corbetta",
        "Rue des Roses",
        "Chemin des Romanettes",
        "Rue Gambetta",
    ),
    ("69276", "69320", "Feyzin", 45.673, 4.859): (
        "Route de Vienne",
        "Rue Victor Hugo",
        "Chemin du Docteur Long",
        "Place René Lescot",
        "Rue du Bandonnier",
    ),
    ("69199", "69190", "Saint-Fons", 45.708, 4.853): (
        "Avenue Gabriel Péri",
        "Rue Carnot",
        "Rue Émile Zola",
        "Place Michel Perret",
        "Rue Mathieu Dussurgey",
        "Rue Robert et Reynier",
        "Boulevard Yves Farge",
    ),
}

WAYS = ("Rue", "Rue", "Rue", "Rue", "Avenue", "Chemin", "Impasse", "Place", "Boulevard", "Allée", "Route")
NAMES = (
    "de la Gare",
    "de l’Église",
    "du Stade",
    "des Écoles",
    "de la Mairie",
    "des Acacias",
    "du Lavoir",
    "des Vignes",
    "de la Fontaine",
    "du Moulin",
    "des Tilleuls",
    "Jules Ferry",
    "Jean Moulin",
    "Victor Hugo",
    "Pasteur",
    "de la Liberté",
    "Jean Jaurès",
    "Molière",
    "Voltaire",
    "des Cerisiers",
    "du Château",
    "Lamartine",
    "George Sand",
    "du Maréchal Leclerc",
    "du Général Leclerc",
    "Saint-Martin",
    "Sainte-Claire",
    "du 19 Mars 1962",
    "des Lilas",
    "du 11 Novembre",
    "de Verdun",
    "de la République",
    "Louis Aragon",
    "Paul Éluard",
    "Claude Debussy",
    "Ampère",
    "Albert Camus",
    "Marie Curie",
    "des Marronniers",
    "du Four",
    "de Bellevue",
    "Lafayette",
    "de la Poste",
)


def streets(more_towns: int = 40) -> Iterator[tuple[str, str, str, float, float, str]]:
    """INSEE code, postcode, commune, latitude, longitude and name of each; ``more_towns`` are invented."""
    for (insee, postcode, commune, lat, lon), names in TOWNS.items():
        yield from ((insee, postcode, commune, lat, lon, name) for name in names)
    draw = random.Random(69)
    for number in range(more_towns):
        town = (f"69{900 + number:03}" if number < 100 else f"7{number:04}", f"{69700 + number}")
        commune = f"{draw.choice(('Bourg', 'Ville', 'Mont', 'Champ'))}-{number}-sur-Ozon"
        lat, lon = 45.5 + draw.random() * 0.6, 4.5 + draw.random() * 0.6
        for name in NAMES:
            yield (*town, commune, lat, lon, f"{draw.choice(WAYS)} {name}")


def rows(more_towns: int = 40, numbers: int = 6, seed: int = 1) -> Iterator[str]:
    """The lines of a file, its header first; ``numbers`` houses a street, some with bis."""
    draw = random.Random(seed)
    yield HEADER
    for insee, postcode, commune, lat, lon, name in streets(more_towns):
        here, there = lat + draw.uniform(-0.01, 0.01), lon + draw.uniform(-0.012, 0.012)
        for step in range(numbers):
            repeat = "bis" if step % 5 == 4 else ""
            number = step + 1 if not repeat else step
            north, east = here + step * 1e-4, there + step * 1e-4
            id = f"{insee}_{abs(hash(name)) % 9999:04}_{number:05}"
            yield (
                f"{id};;{number};{repeat};{name};{postcode};{insee};{commune};;;0;0;{east:.6f};{north:.6f};"
                f"entrée;;;{commune.upper()};{name.upper()};commune;commune;1;"
            )


def write(path: Path, more_towns: int = 40, numbers: int = 6) -> Path:
    """The file itself."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows(more_towns, numbers))
    return path
