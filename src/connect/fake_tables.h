// Names, streets and cities of the generator, by nationality, and how each country writes codes and numbers.
#pragma once

#include <array>
#include <string_view>

namespace tailrace::connect {

/// In a pattern # is a digit, 1 a digit from 1 to 9 and @ a letter.
struct Nation {
  std::string_view nat, country;
  bool postcode_is_number;
  std::string_view postcode, phone, cell, id_name, id_value, offset, zone;
  std::array<std::string_view, 8> men, women, last, streets, cities;
  std::array<std::string_view, 4> states;
};

inline constexpr std::array<Nation, 10> kNations{{
    {"US", "United States", true, "1####", "(1##) 1##-####", "(1##) 1##-####", "SSN", "1##-##-####", "-5:00",
     "Eastern Time (US & Canada), Bogota, Lima",
     {"Brad", "Willie", "Terrance", "Clyde", "Marcus", "Leon", "Travis", "Howard"},
     {"Jennie", "Regina", "Tamara", "Gail", "Brooklyn", "Naomi", "Priscilla", "Erika"},
     {"Nichols", "Gibson", "Lawson", "Hopkins", "Medina", "Watkins", "Carlson", "Fuller"},
     {"Valwood Pkwy", "Hickory Creek Dr", "Miller Ave", "Cackson St", "Oak Lawn Ave", "Sunset St", "Robinson Rd", "Nowlin Rd"},
     {"Billings", "Eugene", "Wichita Falls", "Shreveport", "Topeka", "Everett", "Salinas", "Duluth"},
     {"Michigan", "Oregon", "Texas", "Louisiana"}},
    {"GB", "United Kingdom", false, "@@1# 1@@", "01### ######", "07### ######", "NINO", "@@ ## ## ## @", "0:00",
     "Western Europe Time, London, Lisbon, Casablanca",
     {"Oliver", "Alfie", "Nathan", "Gordon", "Clifford", "Rupert", "Callum", "Ewan"},
     {"Poppy", "Harriet", "Imogen", "Beatrice", "Freya", "Gemma", "Isobel", "Kirsty"},
     {"Thornton", "Hargreaves", "Pearce", "Whitfield", "Barker", "Lennox", "Ashworth", "Dunn"},
     {"Station Road", "Church Lane", "The Crescent", "Mill Lane", "Queensway", "Highfield Road", "Park Avenue", "Albert Road"},
     {"Worcester", "Bath", "Carlisle", "Inverness", "Newport", "Lichfield", "Durham", "Truro"},
     {"Cumbria", "Somerset", "Highlands", "Gwent"}},
    {"DE", "Germany", true, "1####", "0###-#######", "017#-#######", "SVNR", "## ###### @ ###", "+1:00",
     "Brussels, Copenhagen, Madrid, Paris",
     {"Jürgen", "Björn", "Matthias", "Günther", "Lukas", "Dietmar", "Sören", "Kai"},
     {"Käthe", "Sabine", "Ingrid", "Jördis", "Annika", "Margarete", "Heike", "Lena"},
     {"Müller", "Größer", "Schäfer", "Weiß", "Krämer", "Vogel", "Böhm", "Lindner"},
     {"Mühlenweg", "Schillerstraße", "Am Bahnhof", "Lindenallee", "Goethestraße", "Birkenweg", "Kirchgasse", "Königsplatz"},
     {"Köln", "Würzburg", "Lübeck", "Göttingen", "Passau", "Jena", "Trier", "Osnabrück"},
     {"Nordrhein-Westfalen", "Bayern", "Thüringen", "Niedersachsen"}},
    {"FR", "France", true, "1####", "0#-##-##-##-##", "06-##-##-##-##", "INSEE", "1############ ##", "+1:00",
     "Brussels, Copenhagen, Madrid, Paris",
     {"Gaël", "Théo", "Baptiste", "Loïc", "Rémi", "Étienne", "Hugo", "Maël"},
     {"Léa", "Inès", "Chloé", "Océane", "Maëlys", "Éloïse", "Louane", "Zoé"},
     {"Lefèvre", "Gauthier", "Fournier", "Barbier", "Perrin", "Noël", "Rousseau", "Chevalier"},
     {"Rue de L'Abbé-Grégoire", "Avenue Jean-Jaurès", "Place du 8 Février 1962", "Rue des Écrivains", "Quai Chauveau",
      "Rue Gasparin", "Rue Bossuet", "Avenue Vauban"},
     {"Orléans", "Besançon", "Nîmes", "Angers", "Pau", "Créteil", "Metz", "Limoges"},
     {"Loiret", "Doubs", "Gard", "Moselle"}},
    {"ES", "Spain", true, "1####", "9##-###-###", "6##-###-###", "DNI", "########-@", "+1:00",
     "Brussels, Copenhagen, Madrid, Paris",
     {"Álvaro", "Íñigo", "Joaquín", "Rubén", "Sergio", "Andrés", "Iker", "Tomás"},
     {"Begoña", "Lucía", "Inés", "Rocío", "Nuria", "Sofía", "Montserrat", "Yolanda"},
     {"Ibáñez", "Muñoz", "Peña", "Gutiérrez", "Ortega", "Cano", "Vidal", "Méndez"},
     {"Calle de Alcalá", "Paseo de Extremadura", "Calle Mota", "Avenida de Burgos", "Ronda de Toledo", "Calle del Pez",
      "Calle de Bravo Murillo", "Avenida de América"},
     {"Cádiz", "León", "Málaga", "Castellón", "Burgos", "Almería", "Gijón", "Logroño"},
     {"Andalucía", "Castilla y León", "Asturias", "La Rioja"}},
    {"NO", "Norway", false, "1###", "6#######", "9#######", "FN", "###########", "+1:00",
     "Brussels, Copenhagen, Madrid, Paris",
     {"Håkon", "Øyvind", "Sindre", "Asbjørn", "Torkel", "Marius", "Bård", "Eirik"},
     {"Åse", "Solveig", "Ingebjørg", "Mathilde", "Tuva", "Synnøve", "Ragnhild", "Maren"},
     {"Sørensen", "Bråten", "Hæreid", "Lunde", "Øien", "Fjeld", "Nygård", "Tangen"},
     {"Storgata", "Bjørnsons gate", "Åsveien", "Kongens gate", "Fjellveien", "Skogstien", "Sjøgata", "Myrveien"},
     {"Tromsø", "Ålesund", "Bodø", "Røros", "Hamar", "Førde", "Molde", "Larvik"},
     {"Troms", "Møre og Romsdal", "Nordland", "Vestfold"}},
    {"TR", "Turkey", true, "1####", "(1##)-###-####", "(5##)-###-####", "TC", "###########", "+3:00",
     "Baghdad, Riyadh, Moscow, St. Petersburg",
     {"Çağlar", "Oğuz", "Şahin", "Emre", "Kaan", "Tolga", "Barış", "Umut"},
     {"Ayşe", "Gülşen", "İpek", "Elif", "Özge", "Zeynep", "Nazlı", "Buse"},
     {"Yıldız", "Öztürk", "Çetin", "Kılıç", "Demir", "Şimşek", "Aydın", "Koç"},
     {"Atatürk Sk", "Bağdat Cd", "İstiklal Cd", "Fatih Sultan Mehmet Cd", "Mevlana Cd", "Kushimoto Sk", "Abanoz Sk", "Necatibey Cd"},
     {"Eskişehir", "Muğla", "Diyarbakır", "Çanakkale", "Rize", "Sinop", "Kütahya", "Iğdır"},
     {"Ege", "Karadeniz", "Marmara", "Doğu Anadolu"}},
    {"BR", "Brazil", true, "1####", "(##) ####-####", "(##) 9####-####", "CPF", "###.###.###-##", "-3:00",
     "Brazil, Buenos Aires, Georgetown",
     {"João", "Caetano", "Antônio", "Thiago", "Estêvão", "Murilo", "Otávio", "Davi"},
     {"Conceição", "Lívia", "Antônia", "Beatriz", "Júlia", "Marlene", "Heloísa", "Iara"},
     {"Gonçalves", "Araújo", "Teixeira", "Simões", "Peixoto", "Moraes", "Brandão", "Cardoso"},
     {"Rua São Luiz", "Avenida Brasil", "Rua Três", "Travessa dos Martírios", "Rua da Paz", "Rua Bela Vista", "Rua Pernambuco",
      "Rua Santa Luzia"},
     {"Maceió", "São Luís", "Goiânia", "Florianópolis", "Macapá", "Niterói", "Belém", "Olinda"},
     {"Alagoas", "Maranhão", "Goiás", "Pará"}},
    {"UA", "Ukraine", true, "1####", "(0##) @##-####", "(09#) ###-####", "UNZR", "########-#####", "+2:00",
     "Kaliningrad, South Africa",
     {"Тарас", "Богдан", "Ярослав", "Остап", "Мирон", "Данило", "Лесь", "Юхим"},
     {"Оксана", "Соломія", "Віра", "Леся", "Христина", "Мар'яна", "Олена", "Дарина"},
     {"Шевчук", "Коваленко", "Бондар", "Гнатюк", "Ткач", "Мороз", "Яценко", "Савчук"},
     {"Хрещатик", "Садова", "Лісова", "Київська", "Польова", "Набережна", "Степова", "Озерна"},
     {"Львів", "Чернівці", "Полтава", "Ужгород", "Суми", "Луцьк", "Херсон", "Біла Церква"},
     {"Львівська", "Полтавська", "Сумська", "Волинська"}},
    {"IN", "India", true, "1#####", "1#########", "9#########", "UIDAI", "############", "+5:30",
     "Bombay, Calcutta, Madras, New Delhi",
     {"Aarav", "Rohan", "Vihaan", "Kabir", "Ishaan", "Nikhil", "Arjun", "Dev"},
     {"Ananya", "Diya", "Meera", "Kavya", "Riya", "Saanvi", "Tara", "Lakshmi"},
     {"Banerjee", "Chaudhari", "Iyer", "Kulkarni", "Menon", "Rao", "Saxena", "Thakur"},
     {"MG Rd", "Linking Rd", "Brigade Rd", "Park St", "Anna Salai", "Mall Rd", "Station Rd", "Chandni Chowk"},
     {"Mysuru", "Nagpur", "Kochi", "Udaipur", "Shillong", "Madurai", "Varanasi", "Indore"},
     {"Karnataka", "Kerala", "Rajasthan", "Meghalaya"}},
}};

}  // namespace tailrace::connect
